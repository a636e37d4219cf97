#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace standpipe {

/// What kind of failure a Status reports: what the caller may do about it, not where it arose.
enum class Code : unsigned char {
  ok,
  invalid,      ///< a setting, an argument or a name is wrong: trying again changes nothing
  not_found,    ///< the thing named does not exist
  full,         ///< no room now: try again when something drained
  timeout,      ///< a deadline passed: try again
  unavailable,  ///< a peer, file or service can't be reached now: try again
  io,           ///< the operating system refused (disk, descriptor): try again with care
  corrupt,      ///< bytes are damaged; the message says where
  poison,       ///< the destination refuses these very events for good: never try them again unchanged
  fenced,       ///< the lease was taken away: somebody else owns its events now
  stopped,      ///< the component is stopping
};

std::string_view to_string(Code code);

/// The result of an operation that may fail: ok, or a code and a message for the operator.
/// A failure must be looked at: asked ok(), code(), message() or to_string(), handed on or ignore()d. Under
/// STANDPIPE_CHECKED_STATUS one that nobody looked at aborts the process.
/// Messages name the thing (file and line, peer, property) and the way out. Not thread-safe; move it.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

#ifdef STANDPIPE_CHECKED_STATUS
  Status(const Status& other) : code_(other.code_), message_(other.message_) { other.checked_ = true; }
  Status(Status&& other) noexcept : code_(other.code_), message_(std::move(other.message_)) { other.checked_ = true; }
  Status& operator=(const Status& other) {
    if (this != &other) {
      require_checked();
      code_ = other.code_;
      message_ = other.message_;
      checked_ = false;
      other.checked_ = true;
    }
    return *this;
  }
  Status& operator=(Status&& other) noexcept {
    if (this != &other) {
      require_checked();
      code_ = other.code_;
      message_ = std::move(other.message_);
      checked_ = false;
      other.checked_ = true;
    }
    return *this;
  }
  ~Status() { require_checked(); }
#endif

  bool ok() const {
    mark_checked();
    return code_ == Code::ok;
  }
  Code code() const {
    mark_checked();
    return code_;
  }
  const std::string& message() const {
    mark_checked();
    return message_;
  }

  /// The same failure with the layer's own words before it: "hdfs sink k1: close /a/b.tmp: …".
  Status with_context(std::string_view context) const;

  /// "ok", or "unavailable: connection refused by 127.0.0.1:4141": for tests. An operator reads message().
  std::string to_string() const;

  /// Says that a failure is of no interest here; the comment beside the call says why.
  void ignore() const { mark_checked(); }

 private:
  Code code_ = Code::ok;
  std::string message_;
#ifdef STANDPIPE_CHECKED_STATUS
  void mark_checked() const { checked_ = true; }
  void require_checked() const;
  mutable bool checked_ = false;
#else
  void mark_checked() const {}
#endif
};

/// A value, or the Status that says why there is none. Never holds an ok Status.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}
  Result(Status status) : content_(std::move(status)) {}

  /// Asking counts as looking at the failure.
  bool ok() const {
    if (std::holds_alternative<T>(content_)) return true;
    std::get<Status>(content_).ignore();
    return false;
  }
  explicit operator bool() const { return ok(); }

  /// The failure; an ok Status when there is a value.
  Status status() const { return ok() ? Status() : std::get<Status>(content_); }

  /// Only after ok(): std::get throws otherwise, which ends the process.
  T& value() & { return std::get<T>(content_); }
  const T& value() const& { return std::get<T>(content_); }
  T&& value() && { return std::get<T>(std::move(content_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, Status> content_;
};

}  // namespace standpipe

#define STANDPIPE_CONCAT_INNER(a, b) a##b
#define STANDPIPE_CONCAT(a, b) STANDPIPE_CONCAT_INNER(a, b)

/// Returns the failure of a Status expression to the caller. With TRY_ASSIGN the only control flow in a macro.
#define TRY(expression)                             \
  do {                                              \
    ::standpipe::Status try_status_ = (expression); \
    if (!try_status_.ok()) [[unlikely]]             \
      return try_status_;                           \
  } while (false)

/// TRY_ASSIGN(auto x, f()): the value of a Result expression, or its failure to the caller.
#define TRY_ASSIGN(declaration, expression) \
  TRY_ASSIGN_INNER(STANDPIPE_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                             \
  if (!result.ok()) [[unlikely]]                          \
    return result.status();                               \
  declaration = std::move(result).value()
