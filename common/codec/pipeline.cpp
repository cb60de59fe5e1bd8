#include "common/codec/codecs.hpp"
#include "common/codec/pipeline_fields.hpp"

namespace cicd::codec {

Value write(const model::Mark& mark) { return Array{mark.file, mark.line, mark.column, mark.pointer}; }

Result<void> read(const Value& value, model::Mark& out, const Path& path) {
    CICD_TRY(const Array* parts, as_array(value, path));
    if (parts->size() != 4) return wrong(path, "must be [file, line, column, pointer]");
    CICD_CHECK(read((*parts)[0], out.file, Path{&path, {}, 0}));
    CICD_CHECK(read((*parts)[1], out.line, Path{&path, {}, 1}));
    CICD_CHECK(read((*parts)[2], out.column, Path{&path, {}, 2}));
    return read((*parts)[3], out.pointer, Path{&path, {}, 3});
}

bool same(const model::Mark& a, const model::Mark& b) {
    return a.file == b.file && a.line == b.line && a.column == b.column && a.pointer == b.pointer;
}

Value write(const model::OrExpression<bool>& value) {
    if (value.expression.empty()) return value.value;
    return Object{{"value", value.value}, {"expression", value.expression}};
}

Result<void> read(const Value& value, model::OrExpression<bool>& out, const Path& path) {
    out = {};
    if (value.is_bool()) {
        out.value = value.as_bool();
        return {};
    }
    CICD_CHECK(as_object(value, path));
    CICD_CHECK(read(value["value"], out.value, Path{&path, "value"}));
    return read(value["expression"], out.expression, Path{&path, "expression"});
}

CICD_CODEC_BY_FIELDS(model::Step)
CICD_CODEC_BY_FIELDS(model::Pipeline)
CICD_CODEC_BY_FIELDS(model::Component)

}  // namespace cicd::codec
