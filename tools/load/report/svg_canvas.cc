#include "tools/load/report/svg_canvas.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace weir::load {
namespace {

std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(std::string(text), {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

}  // namespace

SvgCanvas::SvgCanvas(double width, double height)
    : text_(absl::StrFormat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" "
                            "height=\"%g\" font-family=\"sans-serif\">\n",
                            width, height)) {
  Box({0, 0}, width, height, "#fff");
}

void SvgCanvas::Box(Point at, double width, double height, std::string_view color) {
  absl::StrAppendFormat(&text_,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                        "fill=\"%s\"/>\n",
                        at.x, at.y, width, height, color);
}

void SvgCanvas::Line(Point from, Point to, std::string_view color, double width) {
  absl::StrAppendFormat(&text_,
                        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                        "stroke-width=\"%g\"/>\n",
                        from.x, from.y, to.x, to.y, color, width);
}

void SvgCanvas::Path(std::span<const Point> points, std::string_view color, double width) {
  absl::StrAppendFormat(
      &text_, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%g\" points=\"", color, width);
  for (const Point& point : points) absl::StrAppendFormat(&text_, "%.1f,%.1f ", point.x, point.y);
  text_ += "\"/>\n";
}

void SvgCanvas::Dot(Point at, std::string_view color) {
  absl::StrAppendFormat(&text_, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", at.x,
                        at.y, color);
}

void SvgCanvas::Text(Point at, std::string_view text, Anchor anchor, double size,
                     std::string_view color) {
  constexpr std::string_view kAnchors[] = {"start", "middle", "end"};
  absl::StrAppendFormat(&text_,
                        "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" fill=\"%s\" "
                        "text-anchor=\"%s\">%s</text>\n",
                        at.x, at.y, size, color, kAnchors[static_cast<size_t>(anchor)],
                        Escaped(text));
}

std::string SvgCanvas::Finish() && {
  text_ += "</svg>\n";
  return std::move(text_);
}

}  // namespace weir::load
