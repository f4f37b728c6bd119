// A chart of curves, as SVG: for what was measured over one quantity.
#pragma once

#include <string>
#include <vector>

#include "tools/load/report/svg_canvas.h"

namespace weir::load {

struct Curve {
  std::string name;
  std::vector<Point> points;  // in the axes' units, x ascending
  bool measured = true;       // false: drawn thin, a limit from elsewhere
};

struct LineChart {
  std::string title;
  std::string subtitle;  // where and how it was measured
  std::string x_name;
  std::string y_name;
  bool log_x = false;
  bool log_y = false;
  std::vector<Curve> curves;

  // A file's text. Curves without points are left out; y starts at 0 where it is not logarithmic.
  std::string Draw() const;
};

}  // namespace weir::load
