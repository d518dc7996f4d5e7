#include "telemetry/cells/cell_family.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace inferometer {
namespace {

CellFamilySpec labelled() {
  CellFamilySpec spec;
  spec.name = "requests";
  spec.label_names = {"code"};
  return spec;
}

std::vector<std::string> texts(const CellFamily& family) {
  std::vector<std::string> result;
  for (const auto& cell : family.cells()) result.emplace_back(cell->labels().before());
  return result;
}

TEST(CellFamilyTest, ShowsCellsInTheOrderOfTheirAdding) {
  CellFamily family(labelled());
  const auto second = family.make_cell({"b"});
  const auto first = family.make_cell({"a"});
  EXPECT_TRUE(family.cells().empty());
  family.add(first);
  family.add(second);
  EXPECT_EQ(texts(family), (std::vector<std::string>{"code=\"a\"", "code=\"b\""}));
}

TEST(CellFamilyTest, RemovedCellsAreGoneAndStillUsable) {
  CellFamily family(labelled());
  const auto cell = family.make_cell({"a"});
  family.add(cell);
  family.remove(*cell);
  family.remove(*cell);
  EXPECT_TRUE(family.cells().empty());
  cell->add(1);
  EXPECT_EQ(cell->value(), 1);
}

TEST(CellFamilyTest, RemovingLeavesTheOthersAlone) {
  CellFamily family(labelled());
  CellFamily::Cells cells;
  for (int i = 0; i < 100; ++i) {
    cells.push_back(family.make_cell({std::to_string(i)}));
    family.add(cells.back());
  }
  for (int i = 0; i < 100; ++i) {
    if (i % 10 != 3) family.remove(*cells[static_cast<size_t>(i)]);
  }
  std::vector<std::string> expected;
  for (int i = 3; i < 100; i += 10) expected.push_back("code=\"" + std::to_string(i) + "\"");
  EXPECT_EQ(texts(family), expected);
  const auto later = family.make_cell({"later"});
  family.add(later);
  family.clear();
  family.remove(*later);
  EXPECT_TRUE(family.cells().empty());
}

TEST(CellFamilyTest, HistogramsShareTheirBoundsAndAreCutAtLe) {
  CellFamilySpec spec = labelled();
  spec.type = CellType::kHistogram;
  spec.label_names = {"z"};
  spec.bounds = CellBounds::of({1});
  const CellFamily family(spec);
  const auto cell = family.make_cell({"v"});
  EXPECT_EQ(cell->bounds(), spec.bounds.get());
  EXPECT_EQ(cell->labels().before(), "");
  EXPECT_EQ(cell->labels().after(), "z=\"v\"");
}

TEST(CellFamilyTest, IsLeftToPythonForGood) {
  CellFamily family(labelled());
  EXPECT_FALSE(family.left_to_python());
  family.leave_to_python();
  EXPECT_TRUE(family.left_to_python());
}

TEST(CellFamilyTest, WritersAndScrapersMayComeAtOnce) {
  CellFamily family(labelled());
  std::atomic<bool> done = false;
  std::thread scraper([&] {
    while (!done) {
      for (const auto& cell : family.cells()) (void)cell->value();
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const auto cell = family.make_cell({"x"});
    family.add(cell);
    cell->add(1);
    if (i % 2 == 0) family.remove(*cell);
  }
  done = true;
  scraper.join();
  EXPECT_EQ(family.cells().size(), 1000u);
}

// The lock that a scraper may hold is free in the child.
TEST(CellFamilyTest, AForkedChildMayUseItsFamilies) {
  CellFamily family(labelled());
  family.add(family.make_cell({"a"}));
  std::atomic<bool> done = false;
  std::thread scraper([&] {
    while (!done) (void)family.cells();
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(family.cells().size() == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  done = true;
  scraper.join();
}

}  // namespace
}  // namespace inferometer
