#include "serving/formed_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fake_models.h"
#include "inferometer/errors.h"
#include "queued_request.h"

namespace inferometer {
namespace {

class FormedBatchTest : public testing::Test {
 protected:
  std::shared_ptr<Request> append(int id, int64_t rows) {
    return append_rows(queue_, Rows(id, rows).view());
  }
  std::unique_ptr<FormedBatch> form() {
    auto batch = std::make_unique<FormedBatch>(queue_.take_all(), nullptr, ReleaseReason::kIdle,
                                               pool_, steady_clock());
    batch->gather(specs_);
    return batch;
  }
  static std::vector<float> ids(const FormedBatch& batch) {
    std::vector<float> ids;
    const auto values = batch.inputs()[0].as<float>();
    for (size_t at = 0; at < values.size(); at += 4) ids.push_back(values[at]);
    return ids;
  }
  // What check_outputs() says; empty if it is content.
  static std::string complaint(const FormedBatch& batch, const std::vector<TensorSpec>& want) {
    try {
      batch.check_outputs(want);
    } catch (const ModelError& error) {
      return error.what();
    }
    return "";
  }

  const std::vector<TensorSpec> specs_ = {{"x", DType::kFloat32, Shape({-1, 4})}};
  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  RequestQueue queue_{pool_};
};

TEST_F(FormedBatchTest, RowsSideBySideAreNotCopied) {
  const auto a = append(10, 2);
  append(20, 3);
  const auto batch = form();
  EXPECT_EQ(batch->rows(), 5);
  EXPECT_EQ(batch->requests(), 2U);
  EXPECT_EQ(batch->inputs()[0].data, segment_of(*a)->row(0, 0));
  EXPECT_EQ(batch->input_owner(), segment_of(*a));
  EXPECT_FALSE(batch->gathered());
  EXPECT_EQ(batch->input_specs()[0].name, "x");
  EXPECT_EQ(ids(*batch), (std::vector<float>{10, 11, 20, 21, 22}));
}

TEST_F(FormedBatchTest, RowsAroundAHoleAreGathered) {
  const auto a = append(10, 2);
  const auto hole = append(20, 1);
  append(30, 2);
  queue_.remove(*hole);
  const auto batch = form();
  EXPECT_NE(batch->input_owner(), segment_of(*a));
  EXPECT_TRUE(batch->gathered());
  EXPECT_EQ(ids(*batch), (std::vector<float>{10, 11, 30, 31}));
}

TEST_F(FormedBatchTest, KnowsWhenTheModelHadComputed) {
  append(1, 1);
  const auto batch = form();
  EXPECT_EQ(batch->computed_at_ns(), std::nullopt);
  const int64_t before = steady_clock().now_ns();
  batch->computed();
  EXPECT_GE(batch->computed_at_ns(), before);
}

TEST_F(FormedBatchTest, AHoleInFrontCostsNoCopy) {
  const auto hole = append(10, 2);
  const auto b = append(20, 2);
  queue_.remove(*hole);
  const auto batch = form();
  EXPECT_EQ(batch->inputs()[0].data, segment_of(*b)->row(0, 2));
  EXPECT_EQ(ids(*batch), (std::vector<float>{20, 21}));
}

TEST_F(FormedBatchTest, RowsOfSeveralSegmentsAreGathered) {
  append(10, 6);
  append(20, 5);
  const auto batch = form();
  EXPECT_EQ(batch->inputs()[0].shape, Shape({11, 4}));
  EXPECT_EQ(ids(*batch)[5], 15);
  EXPECT_EQ(ids(*batch)[6], 20);
}

TEST_F(FormedBatchTest, WaitsForRowsThatAreStillBeingCopied) {
  const auto request = make_request(1);
  const Rows rows(7);
  const TensorView view = rows.view();
  queue_.append(request, {&view, 1}, {.model = nullptr});
  std::thread submitter([&] {
    std::memcpy(segment_of(*request)->row(0, 0), view.data, view.bytes());
    Ending::mark_filled(*request);
  });
  EXPECT_EQ(ids(*form()), (std::vector<float>{7}));
  submitter.join();
}

TEST_F(FormedBatchTest, OutputsAreFilledInOrder) {
  append(1, 2);
  const auto batch = form();
  EXPECT_THROW((void)batch->allocate_output(1, DType::kFloat32, Shape({2})), ModelError);
  EXPECT_THROW((void)batch->allocate_output(0, DType::kFloat32, Shape()), ModelError);
  EXPECT_THROW((void)batch->allocate_output(0, DType::kFloat32, Shape({2, -1})), ShapeError);
  EXPECT_EQ(batch->allocate_output(0, DType::kInt64, Shape({2})).bytes(), 16U);
  EXPECT_THROW((void)batch->allocate_output(0, DType::kInt64, Shape({2})), ModelError);
}

TEST_F(FormedBatchTest, ComplaintsNameGotAndWanted) {
  append(1, 2);
  const auto batch = form();
  EXPECT_EQ(complaint(*batch, {}), "the model returned no output, want one or more");
  (void)batch->allocate_output(0, DType::kInt64, Shape({3, 1}));
  EXPECT_EQ(complaint(*batch, {}),
            "the model returned 3 rows for output 0, want 2, one for each input row");
}

TEST_F(FormedBatchTest, ComparesOutputsWithWhatIsExpected) {
  append(1, 2);
  const auto batch = form();
  (void)batch->allocate_output(0, DType::kInt64, Shape({2, 1}));
  const TensorSpec y{"y", DType::kFloat32, Shape({-1, 1})};
  EXPECT_EQ(complaint(*batch, {}), "");
  EXPECT_EQ(complaint(*batch, {y}), "the model returned int64 for output y, want float32");
  EXPECT_EQ(complaint(*batch, {y, y}), "the model returned 1 outputs, want 2");
}

TEST_F(FormedBatchTest, OpaqueRequestsAreAnsweredWithObjects) {
  for (int i = 0; i < 2; ++i) {
    const auto request = make_request();
    queue_.append(request, {}, {.model = nullptr});
    Ending::mark_filled(*request);
  }
  const auto batch = form();
  EXPECT_TRUE(batch->opaque());
  EXPECT_EQ(batch->rows(), 2);
  EXPECT_TRUE(batch->inputs().empty());
  EXPECT_EQ(batch->object(1), nullptr);
  batch->set_result_object(1, std::make_shared<int>(5));
  EXPECT_EQ(complaint(*batch, {}), "the model answered 1 of 2 items");
  batch->set_result_object(0, std::make_shared<int>(6));
  EXPECT_EQ(complaint(*batch, {}), "");
  EXPECT_EQ(*std::static_pointer_cast<int>(batch->result_object(1)), 5);
}

TEST_F(FormedBatchTest, SingleRequestsMayFail) {
  append(1, 1);
  append(2, 1);
  const auto batch = form();
  EXPECT_EQ(batch->error_of(1), nullptr);
  batch->fail(1, std::make_exception_ptr(ModelError("this one")));
  EXPECT_EQ(batch->error_of(0), nullptr);
  EXPECT_THROW(std::rethrow_exception(batch->error_of(1)), ModelError);
}

TEST_F(FormedBatchTest, AFailedObjectNeedsNoAnswer) {
  for (int i = 0; i < 2; ++i) {
    const auto request = make_request();
    queue_.append(request, {}, {.model = nullptr});
    Ending::mark_filled(*request);
  }
  const auto batch = form();
  batch->fail(0, std::make_exception_ptr(ModelError("this one")));
  EXPECT_EQ(complaint(*batch, {}), "the model answered 1 of 2 items");
  batch->set_result_object(1, std::make_shared<int>(5));
  EXPECT_EQ(complaint(*batch, {}), "");
}

TEST_F(FormedBatchTest, TensorsAreNotAnsweredWithObjects) {
  append(1, 1);
  const auto batch = form();
  EXPECT_FALSE(batch->opaque());
  EXPECT_THROW(batch->set_result_object(0, std::make_shared<int>(1)), ModelError);
}

// Requests of (rows, length) floats, padded along their length.
class PaddedBatchTest : public FormedBatchTest {
 protected:
  std::shared_ptr<Request> append(int id, int64_t rows, int64_t length) {
    return append_rows(queue_, Rows(id, rows, length).view(), 0, 1, 1);
  }
  std::unique_ptr<FormedBatch> form(bool trim = false) {
    auto batch = std::make_unique<FormedBatch>(
        queue_.take_all(), nullptr, ReleaseReason::kIdle, pool_, steady_clock(),
        Padding{.axis = 1, .value = -1, .buckets = {}, .trim_outputs = trim});
    batch->gather(specs_);
    return batch;
  }
};

TEST_F(PaddedBatchTest, ShorterRowsAreFilledToTheLongest) {
  append(10, 2, 1);
  append(20, 1, 3);
  const auto batch = form();
  EXPECT_TRUE(batch->gathered());
  EXPECT_EQ(batch->inputs()[0].shape, Shape({3, 3}));
  const auto values = batch->inputs()[0].as<float>();
  EXPECT_EQ(std::vector(values.begin(), values.end()),
            (std::vector<float>{10, -1, -1, 11, -1, -1, 20, 20.125F, 20.25F}));
  EXPECT_EQ(batch->elements(), 9);
  EXPECT_EQ(batch->padding_elements(), 4);
}

TEST_F(PaddedBatchTest, ALoneRequestIsNotCopied) {
  const auto request = append(10, 2, 3);
  const auto batch = form();
  EXPECT_EQ(batch->inputs()[0].data, segment_of(*request)->row(0, 0));
  EXPECT_EQ(batch->elements(), 6);
  EXPECT_EQ(batch->padding_elements(), 0);
}

TEST_F(PaddedBatchTest, OutputsAreCutToEachOnesOwnLength) {
  append(10, 2, 1);
  append(20, 1, 3);
  const auto batch = form(true);
  EchoModel().run(*batch);
  // Of another length than the batch: not a sequence.
  const MutableTensorView fixed = batch->allocate_output(1, DType::kFloat32, Shape({3, 2}));
  std::ranges::fill(fixed.as<float>(), 7.0F);
  batch->trim_outputs();
  const auto [first, first_row] = batch->answer_of(0, 0);
  const auto [second, second_row] = batch->answer_of(1, 2);
  const std::vector<TensorView> of_first = first->rows(first_row, 2);
  EXPECT_EQ(of_first[0].shape, Shape({2, 1}));
  EXPECT_EQ(of_first[0].as<float>()[1], 22);
  EXPECT_EQ(of_first[1].shape, Shape({2, 2}));
  const std::vector<TensorView> of_second = second->rows(second_row, 1);
  EXPECT_EQ(of_second[0].shape, Shape({1, 3}));
  EXPECT_EQ(of_second[0].as<float>()[2], 40.5F);
}

TEST_F(PaddedBatchTest, OutputsStayWholeUnlessAskedFor) {
  append(10, 2, 1);
  append(20, 1, 3);
  const auto batch = form(false);
  EchoModel().run(*batch);
  batch->trim_outputs();
  const auto [answer, row] = batch->answer_of(1, 2);
  EXPECT_EQ(answer, batch->output());
  EXPECT_EQ(row, 2);
}

}  // namespace
}  // namespace inferometer
