// The refusal of an argument. Python raises it as a ValueError.
#pragma once

#include <stdexcept>
#include <string>

namespace rosenblatt {

[[noreturn]] inline void fail(const std::string& message) { throw std::invalid_argument(message); }

}  // namespace rosenblatt
