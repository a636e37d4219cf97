#include "sinks/hdfs/file_format.h"

namespace standpipe::hdfs {

Result<FormatFactory> FormatFactory::make(const Settings& settings) {
  FormatFactory factory;
  const std::string type = settings.choice("hdfs.fileType");
  if (type != "datastream") return Status(Code::invalid, "hdfs.fileType: " + settings.text("hdfs.fileType"));
  TRY_ASSIGN(factory.serializer_, SerializerFactory::make(settings.text("serializer"), settings.below("serializer.")));
  return factory;
}

std::unique_ptr<EventSerializer> FormatFactory::operator()(Clock&) const { return (*serializer_)(); }

}  // namespace standpipe::hdfs
