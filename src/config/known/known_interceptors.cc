// Interceptors that Flume has and this program does not run yet.

#include <array>

#include "config/known/groups.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

constexpr std::array kMorphlineOptions{
    required({"morphlineFile", Kind::path, "", "File with the morphline."}),
    Option{"morphlineId", Kind::name, "", "Which morphline of the file; without it the first."},
    Option{"morphlineVariable.*", Kind::text, "", "Value of a variable in the file."},
};
constexpr std::string_view kMorphlineClasses[] = {"org.apache.flume.sink.solr.morphline.MorphlineInterceptor$Builder"};
constexpr ComponentInfo kMorphline{.kind = ComponentKind::interceptor,
                                   .name = "morphline",
                                   .class_names = kMorphlineClasses,
                                   .summary = "Transforms each event by a morphline.",
                                   .options = kMorphlineOptions,
                                   .built = false};

constexpr const ComponentInfo* kInterceptors[] = {&kMorphline};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_interceptors() { return kInterceptors; }

}  // namespace standpipe
