#include "tools/load/report/line_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::load {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(LineChartTest, DrawsEachCurveWithADotPerPoint) {
  const LineChart chart = {
      .title = "Rate",
      .x_name = "frame bytes",
      .y_name = "Mpps",
      .curves = {{.name = "AF_PACKET", .points = {{60, 1.1}, {1514, 0.9}}},
                 {.name = "AF_XDP", .points = {{60, 1.5}, {1514, 1}}},
                 {.name = "line rate", .points = {{60, 2}, {1514, 0.8}}, .measured = false},
                 {.name = "not tried"}}};
  const std::string svg = chart.Draw();
  EXPECT_EQ(Count(svg, "<polyline"), 3u);
  EXPECT_EQ(Count(svg, "<circle"), 4u);
  EXPECT_THAT(svg, HasSubstr(">AF_XDP</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("not tried")));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
}

TEST(LineChartTest, NothingMeasuredIsSaid) {
  EXPECT_THAT(LineChart{.title = "t"}.Draw(), HasSubstr("nothing was measured"));
}

TEST(LineChartTest, ALogarithmicAxisPlacesPowersEvenly) {
  const LineChart chart = {.log_x = true,
                           .curves = {{.name = "c", .points = {{1, 1}, {10, 1}, {100, 1}}}}};
  // 560 pixels wide, from 80: the middle one stands in the middle.
  EXPECT_THAT(chart.Draw(), HasSubstr("cx=\"360.0\""));
}

TEST(LineChartTest, TextIsEscaped) {
  EXPECT_THAT(LineChart{.title = "a<b & c"}.Draw(), HasSubstr("a&lt;b &amp; c"));
}

}  // namespace
}  // namespace weir::load
