#include "model/executor.h"

#include <gtest/gtest.h>

#include <thread>

#include "backends_under_test.h"
#include "emulated_cuda.h"
#include "graph_under_test.h"
#include "inferometer/errors.h"
#include "model/fusion.h"
#include "model/lowering.h"
#include "remote_backend.h"

namespace inferometer {
namespace {

/// Every kind of step: convolutions with a shortcut, pools, products, a constant operand, views.
GraphUnderTest network() {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 2, 8, 8})).weight("w1", Shape({6, 2, 3, 3}));
  graph.weight("w2", Shape({6, 6, 3, 3})).weight("b2", Shape({6})).weight("w3", Shape({96, 10}));
  graph.positive("n", Shape({6})).weight("k", Shape({4, 4})).weight("w4", Shape({4, 4}));
  const std::map<std::string, Attribute> same = {{"pads", Ints{1, 1, 1, 1}}};
  graph.node("Conv", {"x", "w1"}, "c1", same).node("Relu", {"c1"}, "r1");
  graph.node("Conv", {"r1", "w2", "b2"}, "c2", same).node("Add", {"c2", "r1"}, "a");
  graph.node("BatchNormalization", {"a", "n", "b2", "b2", "n"}, "bn");
  graph.node("MaxPool", {"bn"}, "p", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  graph.node("MatMul", {"p", "w4"}, "m1").node("MatMul", {"k", "m1"}, "m2");
  graph.node("Add", {"m2", "p"}, "a2").node("Relu", {"a2"}, "r2").node("Flatten", {"r2"}, "f");
  graph.node("MatMul", {"f", "w3"}, "logits").node("Softmax", {"logits"}, "y");
  graph.node("ReduceMean", {"p"}, "mean", {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}});
  graph.node("Identity", {"x"}, "echo").output("y").output("mean").output("echo");
  return graph;
}

std::shared_ptr<const CompiledGraph> compile(const GraphUnderTest& graph,
                                             std::shared_ptr<Backend> backend) {
  Graph lowered = lower(graph.builder);
  fuse(lowered);
  return std::make_shared<const CompiledGraph>(std::move(lowered), std::move(backend));
}

std::vector<Tensor> outputs_of(Executable& executable, const Tensor& x) {
  std::vector<Tensor> inputs;
  inputs.push_back(x.clone());
  TestBatch batch(std::move(inputs));
  executable.run(batch);
  return std::move(batch.outputs);
}

Tensor images(int64_t rows) {
  std::mt19937 generator(5);
  return random_tensor(Shape({rows, 2, 8, 8}), generator);
}

/// On every device that there is.
class ExecutorOnDeviceTest : public BackendTest {};

TEST_P(ExecutorOnDeviceTest, AnswersAsAnyOtherDevice) {
  Executor on_device(compile(network(), backend_));
  Executor on_host(compile(network(), make_cpu_backend()));
  for (const int64_t rows : {3, 7, 1}) {
    const Tensor x = images(rows);
    const std::vector<Tensor> got = outputs_of(on_device, x);
    const std::vector<Tensor> want = outputs_of(on_host, x);
    for (size_t i = 0; i < want.size(); ++i) {
      const std::vector<float> values = floats(got[i]);
      for (size_t k = 0; k < values.size(); ++k) {
        ASSERT_NEAR(values[k], floats(want[i])[k], 1e-5) << rows << " rows, output " << i;
      }
    }
  }
}

TEST_P(ExecutorOnDeviceTest, InstancesRunBesideEachOther) {
  const auto compiled = compile(network(), backend_);
  const Tensor x = images(5);
  const Tensor other = images(2);
  Executor alone(compiled);
  const std::vector<float> want = floats(outputs_of(alone, x)[0]);
  const std::vector<float> want_other = floats(outputs_of(alone, other)[0]);
  const auto run_often = [&](const Tensor& input, const std::vector<float>& expected) {
    Executor executor(compiled);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(floats(outputs_of(executor, input)[0]), expected);
  };
  std::thread beside([&] { run_often(other, want_other); });
  run_often(x, want);
  beside.join();
}

TEST_P(ExecutorOnDeviceTest, ARowsAnswerDependsOnThatRowAlone) {
  Executor executor(compile(network(), backend_));
  const Tensor x = images(13);
  const std::vector<Tensor> together = outputs_of(executor, x);
  ASSERT_EQ(together.size(), 3U);
  EXPECT_EQ(together[0].shape(), Shape({13, 10}));
  EXPECT_EQ(together[1].shape(), Shape({13, 6}));
  EXPECT_EQ(floats(together[2]), floats(x));
  for (int64_t row = 0; row < 13; ++row) {
    const std::vector<Tensor> alone = outputs_of(executor, rows_of(x, row, 1));
    for (size_t i = 0; i < alone.size(); ++i) {
      const std::vector<float> want = floats(rows_of(together[i], row, 1));
      const std::vector<float> got = floats(alone[i]);
      for (size_t k = 0; k < got.size(); ++k) ASSERT_NEAR(got[k], want[k], 1e-5);
    }
  }
}

TEST_P(ExecutorOnDeviceTest, NaNStaysInItsRow) {
  Executor executor(compile(network(), backend_));
  Tensor x = images(4);
  x.as<float>()[2 * 128 + 7] = std::numeric_limits<float>::quiet_NaN();  // in row 2
  const std::vector<Tensor> outputs = outputs_of(executor, x);
  for (int64_t row = 0; row < 4; ++row) {
    for (const float value : floats(rows_of(outputs[0], row, 1))) {
      EXPECT_EQ(std::isnan(value), row == 2) << "row " << row;
    }
  }
}

TEST(ExecutorTest, AllocatesNothingOnceWarm) {
  const auto backend = std::make_shared<RemoteBackend>(true);
  Executor executor(compile(network(), backend));
  (void)outputs_of(executor, images(8));
  const int allocations = backend->allocations;
  for (const int64_t rows : {8, 1, 5, 8, 3}) (void)outputs_of(executor, images(rows));
  EXPECT_EQ(backend->allocations, allocations);
  (void)outputs_of(executor, images(9));
  EXPECT_EQ(backend->allocations, allocations + 1);
}

TEST(ExecutorTest, ReservedRowsNeedNoAllocation) {
  const auto backend = std::make_shared<RemoteBackend>(true);
  Executor executor(compile(network(), backend), 16);
  const int allocations = backend->allocations;
  (void)outputs_of(executor, images(16));
  EXPECT_EQ(backend->allocations, allocations);
}

TEST(ExecutorTest, MemoryIsWhatItSays) {
  const auto backend = std::make_shared<RemoteBackend>(true);
  {
    Executor executor(compile(network(), backend), 16);
    EXPECT_EQ(backend->live_bytes,
              static_cast<size_t>(executor.weights_bytes() + executor.activation_bytes(16)));
    (void)outputs_of(executor, images(20));
    EXPECT_EQ(backend->live_bytes,
              static_cast<size_t>(executor.weights_bytes() + executor.activation_bytes(20)));
  }
  EXPECT_EQ(backend->live_bytes, 0U);
}

TEST(ExecutorTest, RowsBeyondAddressableMemoryAreAnError) {
  Executor executor(compile(network(), make_cpu_backend()));
  EXPECT_EQ(executor.activation_bytes(std::numeric_limits<int64_t>::max()),
            std::numeric_limits<int64_t>::max());
  EXPECT_THROW(Executor(compile(network(), make_cpu_backend()), int64_t{1} << 60), ShapeError);
}

TEST(ExecutorTest, ADeviceWithMemoryOfItsOwnGivesTheSameAnswers) {
  const auto remote = std::make_shared<RemoteBackend>();
  Executor on_device(compile(network(), remote));
  Executor on_host(compile(network(), make_cpu_backend()));
  for (const int64_t rows : {3, 7, 1}) {
    const Tensor x = images(rows);
    const std::vector<Tensor> got = outputs_of(on_device, x);
    const std::vector<Tensor> want = outputs_of(on_host, x);
    for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(floats(got[i]), floats(want[i]));
  }
  EXPECT_EQ(remote->copies_in, 3);
  EXPECT_EQ(remote->copies_out, 3 * 3);
  EXPECT_GT(remote->operations, 3 * 8);
}

TEST(ExecutorTest, ADeviceWithMemoryOfItsOwnAllocatesNothingOnceWarm) {
  const auto remote = std::make_shared<RemoteBackend>();
  {
    Executor executor(compile(network(), remote));
    (void)outputs_of(executor, images(8));
    const int allocations = remote->allocations + remote->staging_allocations;
    for (const int64_t rows : {8, 1, 5, 8, 3}) (void)outputs_of(executor, images(rows));
    EXPECT_EQ(remote->allocations + remote->staging_allocations, allocations);
  }
  EXPECT_EQ(remote->live_bytes, 0U);
  EXPECT_EQ(remote->live_staging_bytes, 0U);
}

TEST(ExecutorTest, SaysWhatItTookToCopy) {
  Executor executor(compile(network(), std::make_shared<RemoteBackend>()));
  std::vector<Tensor> inputs;
  inputs.push_back(images(2));
  TestBatch batch(std::move(inputs));
  executor.run(batch);
  EXPECT_EQ(batch.input_ns, 1000);
  EXPECT_GE(batch.output_ns, 500);
}

TEST(ExecutorTest, ABatchThatFindsNoMemoryFailsAndTheNextOneRuns) {
  const Tensor x = images(8);
  const std::vector<Tensor> want =
      outputs_of(*std::make_unique<Executor>(compile(network(), make_cpu_backend())), x);
  for (int failing = 0; failing < 2; ++failing) {
    const auto remote = std::make_shared<RemoteBackend>();
    Executor executor(compile(network(), remote), 2);
    remote->fails_in = failing;
    EXPECT_THROW((void)outputs_of(executor, x), DeviceError);
    const std::vector<Tensor> got = outputs_of(executor, x);
    EXPECT_EQ(floats(got[0]), floats(want[0])) << "after allocation " << failing;
    EXPECT_EQ(remote->fails_in, -1);
  }
}

TEST_P(ExecutorOnDeviceTest, NoRowsGiveNoRows) {
  Executor executor(compile(network(), backend_));
  const std::vector<Tensor> outputs = outputs_of(executor, images(0));
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(outputs[0].shape(), Shape({0, 10}));
}

TEST_P(ExecutorOnDeviceTest, RefusesInputsThatAreNotAsSpecified) {
  Executor executor(compile(network(), backend_));
  std::mt19937 generator(1);
  const auto attempt = [&](std::vector<Tensor> inputs) {
    TestBatch batch(std::move(inputs));
    executor.run(batch);
  };
  const auto one = [](Tensor tensor) {
    std::vector<Tensor> inputs;
    inputs.push_back(std::move(tensor));
    return inputs;
  };
  EXPECT_THROW(attempt({}), InputError);
  EXPECT_THROW(attempt(one(random_tensor(Shape({2, 2, 8, 7}), generator))), ShapeError);
  EXPECT_THROW(attempt(one(random_tensor(Shape({2, 128}), generator))), ShapeError);
  EXPECT_THROW(attempt(one(Tensor(DType::kFloat64, Shape({2, 2, 8, 8})))), DTypeError);
}

TEST_P(ExecutorOnDeviceTest, AModelOfOneRowTakesOne) {
  GraphUnderTest graph;
  graph.input("x", Shape({1, 4})).node("Relu", {"x"}, "y").output("y");
  Executor executor(compile(graph, backend_));
  EXPECT_EQ(executor.max_rows(), 1);
  EXPECT_EQ(executor.inputs()[0].shape, Shape({1, 4}));
  EXPECT_EQ(executor.outputs()[0].shape, Shape({1, 4}));
  EXPECT_EQ(floats(run(executor, tensor_of(Shape({1, 4}), {-1, 2, -3, 4}))),
            (std::vector<float>{0, 2, 0, 4}));
  EXPECT_THROW((void)run(executor, Tensor(DType::kFloat32, Shape({2, 4}))), ShapeError);
}

class ExecutorOnCudaTest : public EmulatedCuda {};

TEST_F(ExecutorOnCudaTest, WhateverCallFailsNothingLeaksAndTheNextRunIsRight) {
  const emulation::Live before = emulation::live();
  const Tensor x = images(3);
  const std::vector<float> want =
      floats(outputs_of(*std::make_unique<Executor>(compile(network(), make_cpu_backend())), x)[0]);
  int failures = 0;
  for (uint64_t nth = 1;; ++nth) {
    emulation::clear_failures();
    emulation::fail_call(emulation::kAnyCall, nth, cudaErrorMemoryAllocation);
    try {
      Executor executor(compile(network(), backend()));
      bool failed = false;
      std::vector<Tensor> got;
      try {
        got = outputs_of(executor, x);
      } catch (const DeviceError&) {
        ++failures;
        failed = true;
        got = outputs_of(executor, x);
      }
      for (size_t k = 0; k < want.size(); ++k) {
        ASSERT_NEAR(floats(got[0])[k], want[k], 1e-5) << "call " << nth << ", failed " << failed;
      }
    } catch (const DeviceError&) {
      ++failures;  // while it was loaded
    }
    expect_no_leak(before, nth);
    if (emulation::clear_failures() > 0) break;  // there was no such call any more
  }
  EXPECT_GT(failures, 40);
}

TEST_F(ExecutorOnCudaTest, AnyOrderOfThreadsBlocksAndStreamsGivesTheSame) {
  const Tensor x = images(4);
  const auto compiled = compile(network(), backend());
  Executor executor(compiled);
  const std::vector<float> want = floats(outputs_of(executor, x)[0]);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    emulation::set_seed(seed);
    EXPECT_EQ(floats(outputs_of(executor, x)[0]), want) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ExecutorOnDeviceTest, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace inferometer
