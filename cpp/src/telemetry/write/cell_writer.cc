#include "telemetry/write/cell_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>

#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

void append_float(std::string& out, double value) {
  char text[kMaxNumberChars];
  out.append(text, write_float(text, value));
}

// A time as Python's repr() writes the float: no exponent at any time this millennium.
void append_timestamp(std::string& out, double seconds) {
  constexpr size_t kMaxFixedChars = 340;
  char text[kMaxFixedChars];
  const auto end = std::to_chars(text, text + sizeof text, seconds, std::chars_format::fixed).ptr;
  out.append(text, end);
  if (seconds == std::trunc(seconds)) out += ".0";
}

void append_exemplar(std::string& out, const CellExemplar& exemplar) {
  std::string labels;
  for (const auto& [name, value] : exemplar.labels) append_label(labels, name, value);
  out.append(" # {").append(labels).append("} ");
  append_float(out, exemplar.value);
  out += ' ';
  append_timestamp(out, exemplar.timestamp);
}

// Writes one family. Single-owner.
class FamilyWriter {
 public:
  FamilyWriter(std::string& out, const CellSpec& spec, const CellWriting& writing)
      : out_(out), spec_(spec), writing_(writing), labels_before_le_(labels_before_le(spec)) {}

  void header(std::string_view suffix, std::string_view type) {
    out_.append("# HELP ").append(spec_.name).append(suffix).append(" ");
    if (open_metrics()) {
      append_escaped_value(out_, spec_.help);
    } else {
      append_escaped_help(out_, spec_.help);
    }
    out_.append("\n# TYPE ").append(spec_.name).append(suffix).append(" ").append(type);
    out_ += '\n';
    if (open_metrics() && !spec_.unit.empty()) {
      out_.append("# UNIT ").append(spec_.name).append(" ").append(spec_.unit).append("\n");
    }
  }

  void series(const ValueCell& cell) {
    switch (spec_.type) {
      case CellType::kCounter:
        sample("_total", cell, cell.value());
        exemplar(cell, 0);
        break;
      case CellType::kSummary:
        sample("_count", cell, static_cast<double>(cell.count()));
        end_line();
        sample("_sum", cell, cell.value());
        break;
      case CellType::kHistogram:
        histogram(cell);
        break;
      default:
        sample("", cell, cell.value());
    }
    end_line();
    if (open_metrics() && writing_.created && has_created()) created(cell);
  }

  // prometheus_client's text format has the creation times as a gauge of their own at the end.
  void created_family(const CellFamily& family) {
    if (open_metrics() || !writing_.created || !has_created() || family.empty()) return;
    header("_created", "gauge");
    family.visit([&](const ValueCell& cell) { created(cell); });
  }

 private:
  [[nodiscard]] bool open_metrics() const noexcept {
    return writing_.format == CellFormat::kOpenMetrics;
  }
  [[nodiscard]] bool has_created() const noexcept { return spec_.type != CellType::kGauge; }
  void end_line() { out_ += '\n'; }

  void created(const ValueCell& cell) {
    sample("_created", cell, cell.created());
    end_line();
  }

  // Everything of a line but its end.
  void sample(std::string_view suffix, const ValueCell& cell, double value) {
    head(suffix, cell.labels(), {}, {});
    append_float(out_, value);
  }

  // Everything up to the number.
  void head(std::string_view suffix, std::string_view before, std::string_view le,
            std::string_view after) {
    out_.append(spec_.name).append(suffix);
    std::string_view separator = "{";
    const auto part = [&](std::string_view text) {
      if (text.empty()) return;
      out_.append(separator).append(text);
      separator = ",";
    };
    part(before);
    if (!le.empty()) {
      part("le=\"");
      out_.append(le).append("\"");
    }
    part(after);
    if (separator == ",") out_ += '}';
    out_ += ' ';
  }

  void exemplar(const ValueCell& cell, size_t index) {
    if (!open_metrics() || !cell.has_exemplars()) return;
    if (const std::optional<CellExemplar> newest = cell.exemplar(index)) {
      append_exemplar(out_, *newest);
    }
  }

  void histogram(const ValueCell& cell) {
    const CellBounds& bounds = *spec_.bounds;
    // `le` stands among the labels, where its name belongs.
    LabelReader labels(cell.labels());
    for (size_t i = 0; i < labels_before_le_; ++i) (void)labels.next();
    const std::string_view after = labels.rest();
    std::string_view before = cell.labels().substr(0, cell.labels().size() - after.size());
    if (before.ends_with(',')) before.remove_suffix(1);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < bounds.upper.size(); ++i) {
      cumulative += cell.bucket(i);
      head("_bucket", before, bounds.text[i], after);
      append_float(out_, static_cast<double>(cumulative));
      exemplar(cell, i);
      end_line();
    }
    sample("_count", cell, static_cast<double>(cumulative));
    if (bounds.upper.front() < 0) return;  // the sum may fall: no counter
    end_line();
    sample("_sum", cell, cell.value());
  }

  static size_t labels_before_le(const CellSpec& spec) {
    const std::set<std::string_view> names(spec.label_names.begin(), spec.label_names.end());
    return static_cast<size_t>(std::ranges::count_if(names, [](auto name) { return name < "le"; }));
  }

  std::string& out_;
  const CellSpec& spec_;
  const CellWriting& writing_;
  const size_t labels_before_le_;
};

}  // namespace

void append_cell_family(std::string& out, const CellFamily& family, const CellWriting& writing) {
  const CellSpec& spec = family.spec();
  FamilyWriter writer(out, spec, writing);
  const bool total = spec.type == CellType::kCounter && writing.format == CellFormat::kPlain;
  writer.header(total ? "_total" : "", metric_type_name(metric_type(spec.type)));
  family.visit([&](const ValueCell& cell) { writer.series(cell); });
  writer.created_family(family);
}

}  // namespace inferometer
