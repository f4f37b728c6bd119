#include "tools/load/report/line_chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_format.h"

namespace weir::load {
namespace {

constexpr double kWidth = 860, kHeight = 480;
constexpr double kLeft = 80, kRight = 220, kTop = 70, kBottom = 60;
constexpr std::array<std::string_view, 6> kColors = {"#1f6fb4", "#d9541e", "#2c9a4b",
                                                     "#8447a8", "#b8860b", "#666"};

std::string Label(double value) {
  if (value >= 1e6) return absl::StrFormat("%g M", value / 1e6);
  if (value >= 1e3) return absl::StrFormat("%g k", value / 1e3);
  return absl::StrFormat("%g", value);
}

// Maps values of an axis to 0..1, and says where its marks stand.
class Axis {
 public:
  Axis(double least, double most, bool logarithmic) : logarithmic_(logarithmic) {
    if (logarithmic) {
      least_ = std::log10(std::max(least, 1e-9));
      most_ = std::log10(std::max(most, 1e-9));
      if (most_ - least_ < 1e-9) most_ = least_ + 1;
    } else {
      least_ = std::min(least, 0.0);
      const double step = Step(std::max(most, 1e-9));
      most_ = std::ceil(most / step) * step;
      if (most_ <= least_) most_ = least_ + 1;
    }
  }

  double Place(double value) const {
    const double at = logarithmic_ ? std::log10(std::max(value, 1e-9)) : value;
    return (at - least_) / (most_ - least_);
  }

  std::vector<double> Marks() const {
    std::vector<double> marks;
    if (!logarithmic_) {
      const double step = Step(most_);
      for (double at = 0; at <= most_ * 1.0001; at += step) marks.push_back(at);
      return marks;
    }
    for (double power = std::floor(least_); power <= most_ + 1e-9; ++power) {
      for (const double part : {1.0, 2.0, 5.0}) {
        const double at = std::pow(10, power) * part;
        if (Place(at) >= -1e-9 && Place(at) <= 1 + 1e-9) marks.push_back(at);
      }
    }
    return marks;
  }

 private:
  // About five of them, of 1, 2 or 5 times a power of ten.
  static double Step(double most) {
    const double raw = most / 5;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    for (const double part : {1.0, 2.0, 5.0})
      if (raw <= part * power) return part * power;
    return 10 * power;
  }

  bool logarithmic_;
  double least_ = 0, most_ = 1;
};

struct Range {
  double least = INFINITY, most = -INFINITY;
  void Take(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

}  // namespace

std::string LineChart::Draw() const {
  SvgCanvas canvas(kWidth, kHeight);
  canvas.Text({kLeft, 28}, title, Anchor::kStart, 18);
  canvas.Text({kLeft, 48}, subtitle, Anchor::kStart, 12, "#666");
  Range x, y;
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) {
      x.Take(point.x);
      y.Take(point.y);
    }
  }
  if (x.least > x.most) {
    canvas.Text({kWidth / 2, kHeight / 2}, "nothing was measured", Anchor::kMiddle);
    return std::move(canvas).Finish();
  }
  const Axis across(x.least, x.most, log_x), up(log_y ? y.least : 0, y.most, log_y);
  const double width = kWidth - kLeft - kRight, height = kHeight - kTop - kBottom;
  const auto place = [&](const Point& at) {
    return Point{kLeft + across.Place(at.x) * width, kTop + (1 - up.Place(at.y)) * height};
  };
  for (const double mark : up.Marks()) {
    const double at = kTop + (1 - up.Place(mark)) * height;
    canvas.Line({kLeft, at}, {kLeft + width, at}, "#e4e4e4");
    canvas.Text({kLeft - 8, at + 4}, Label(mark), Anchor::kEnd, 12);
  }
  for (const double mark : across.Marks()) {
    const double at = kLeft + across.Place(mark) * width;
    canvas.Line({at, kTop + height}, {at, kTop + height + 5}, "#222");
    canvas.Text({at, kTop + height + 20}, Label(mark), Anchor::kMiddle, 12);
  }
  canvas.Line({kLeft, kTop + height}, {kLeft + width, kTop + height}, "#222");
  canvas.Text({kLeft + width / 2, kHeight - 16}, x_name, Anchor::kMiddle);
  canvas.Text({kLeft - 60, kTop - 8}, y_name);
  size_t shown = 0;
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    const std::string_view color = kColors[shown % kColors.size()];
    std::vector<Point> path;
    for (const Point& point : curve.points) path.push_back(place(point));
    canvas.Path(path, color, curve.measured ? 2 : 1);
    if (curve.measured)
      for (const Point& point : path) canvas.Dot(point, color);
    const double at = kTop + 14 + 22 * static_cast<double>(shown);
    canvas.Line({kLeft + width + 14, at - 4}, {kLeft + width + 36, at - 4}, color,
                curve.measured ? 3 : 1);
    canvas.Text({kLeft + width + 42, at}, curve.name, Anchor::kStart, 12);
    ++shown;
  }
  return std::move(canvas).Finish();
}

}  // namespace weir::load
