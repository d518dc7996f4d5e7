find_package(Threads REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
