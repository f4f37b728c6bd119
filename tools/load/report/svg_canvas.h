// A picture in SVG 1.1, drawn by what it shows: boxes, lines, text. Units are pixels, y grows
// downwards.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::load {

struct Point {
  double x = 0;
  double y = 0;
};

enum class Anchor : unsigned char { kStart, kMiddle, kEnd };

class SvgCanvas {
 public:
  SvgCanvas(double width, double height);

  // Colors are as in CSS.
  void Box(Point at, double width, double height, std::string_view color);
  void Line(Point from, Point to, std::string_view color, double width = 1);
  void Path(std::span<const Point> points, std::string_view color, double width = 2);
  void Dot(Point at, std::string_view color);
  void Text(Point at, std::string_view text, Anchor anchor = Anchor::kStart, double size = 13,
            std::string_view color = "#222");

  // The whole file.
  std::string Finish() &&;

 private:
  std::string text_;
};

}  // namespace weir::load
