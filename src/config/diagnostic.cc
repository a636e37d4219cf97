#include "config/diagnostic.h"

namespace standpipe {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
  }
  return "?";
}

std::string_view to_string(DiagnosticCode code) {
  switch (code) {
    case DiagnosticCode::syntax: return "syntax";
    case DiagnosticCode::encoding: return "encoding";
    case DiagnosticCode::duplicate_key: return "duplicate-key";
    case DiagnosticCode::invalid_property: return "invalid-property";
    case DiagnosticCode::empty_value: return "empty-value";
    case DiagnosticCode::unknown_property: return "unknown-property";
    case DiagnosticCode::undeclared_component: return "undeclared-component";
    case DiagnosticCode::missing_component: return "missing-component";
    case DiagnosticCode::invalid_agent: return "invalid-agent";
    case DiagnosticCode::unknown_type: return "unknown-type";
    case DiagnosticCode::type_case: return "type-case";
    case DiagnosticCode::not_built: return "not-built";
    case DiagnosticCode::missing_type: return "missing-type";
    case DiagnosticCode::missing_required: return "missing-required";
    case DiagnosticCode::bad_value: return "bad-value";
    case DiagnosticCode::deprecated: return "deprecated";
    case DiagnosticCode::no_effect: return "no-effect";
    case DiagnosticCode::missing_channel: return "missing-channel";
    case DiagnosticCode::unknown_channel: return "unknown-channel";
    case DiagnosticCode::unconnected_channel: return "unconnected-channel";
    case DiagnosticCode::batch_exceeds_transaction: return "batch-exceeds-transaction";
    case DiagnosticCode::capacity_below_transaction: return "capacity-below-transaction";
    case DiagnosticCode::unknown_selector: return "unknown-selector";
    case DiagnosticCode::unknown_interceptor: return "unknown-interceptor";
    case DiagnosticCode::selector_channel: return "selector-channel";
    case DiagnosticCode::trailing_comment: return "trailing-comment";
    case DiagnosticCode::odd_character: return "odd-character";
    case DiagnosticCode::wrapped_value: return "wrapped-value";
    case DiagnosticCode::singular_key: return "singular-key";
    case DiagnosticCode::wrong_agent: return "wrong-agent";
    case DiagnosticCode::unresolved_placeholder: return "unresolved-placeholder";
    case DiagnosticCode::placeholder_cycle: return "placeholder-cycle";
    case DiagnosticCode::config_filter: return "config-filter";
    case DiagnosticCode::group_member: return "group-member";
    case DiagnosticCode::shared_folder: return "shared-folder";
    case DiagnosticCode::template_text: return "template";
  }
  return "?";
}

}  // namespace standpipe
