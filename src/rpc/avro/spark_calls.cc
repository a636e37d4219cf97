#include "rpc/avro/spark_calls.h"

namespace standpipe::avro {

namespace {

/// An answer that is no error, up to its result.
void put_answer_head(std::string& out) {
  put_long(out, 0);
  put_boolean(out, false);
}

Status damaged() { return {Code::corrupt, "the bytes are no call of Spark's"}; }

}  // namespace

Result<std::optional<SparkCall>> get_spark_call(std::string_view method, DatumReader& parameters) {
  SparkCall call;
  if (method == "getEventBatch") {
    if (!parameters.get_int(call.events)) return damaged();
    return std::optional(call);
  }
  if (method != "ack" && method != "nack") return std::optional<SparkCall>();
  call.kind = method == "ack" ? SparkCall::Kind::ack : SparkCall::Kind::nack;
  if (!parameters.get_bytes(call.sequence)) return damaged();
  return std::optional(call);
}

std::string spark_batch_front(std::string_view sequence) {
  std::string out;
  put_answer_head(out);
  put_bytes(out, "");  // no error
  put_bytes(out, sequence);
  return out;
}

void put_spark_error(std::string& out, std::string_view why) {
  put_answer_head(out);
  put_bytes(out, why);
  put_bytes(out, "");
  put_long(out, 0);  // no events
}

void put_spark_done(std::string& out) { put_answer_head(out); }

}  // namespace standpipe::avro
