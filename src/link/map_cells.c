// From an update's values to cells: the column by its path, the number into the column's unit and kind.
#include "link/map_internal.h"

#include "state/schema_check.h"

#include <float.h>
#include <jansson.h>
#include <math.h>

#define WHERE "link.map"

static gm_status no_fit(const gm_column *column, const char *found, gm_error *err)
{
    return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' must be %s, found %s",
                   GM_STR_ARG(gm_str_slice(column->path, 0, 60)), gm_schema_expected(column->schema->kind), found);
}

static gm_status no_fit_value(const gm_column *column, const gm_value *v, gm_error *err)
{
    char text[64];
    switch (v->kind) {
    case GM_KIND_BOOL: return no_fit(column, v->i != 0 ? "true" : "false", err);
    case GM_KIND_INT: snprintf(text, sizeof text, "%lld", (long long)v->i); break;
    case GM_KIND_DOUBLE: snprintf(text, sizeof text, "%.15g", v->d); break;
    case GM_KIND_STRING: snprintf(text, sizeof text, "'" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(v->s, 0, 40))); break;
    default: return no_fit(column, "a document", err);
    }
    return no_fit(column, text, err);
}

// The value as a number; texts that are one count, since many devices send them so.
static bool number_of(const gm_value *v, double *out)
{
    switch (v->kind) {
    case GM_KIND_BOOL:
    case GM_KIND_INT: *out = (double)v->i; return true;
    case GM_KIND_DOUBLE: *out = v->d; return isfinite(v->d);
    case GM_KIND_STRING: return gm_map_number(gm_str_trim(v->s), out);
    default: return false;
    }
}

static gm_status convert(const gm_column *column, const gm_map_rule *rule, double *number, gm_error *err)
{
    if (rule->has_scale) *number = *number * rule->scale + rule->offset;
    if (!rule->has_unit) return GM_OK;
    if (!gm_unit_comparable(&rule->unit, &column->unit_si)) {
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is in " GM_STR_FMT ", to which the mapping's unit does not convert",
                       GM_STR_ARG(gm_str_slice(column->path, 0, 60)),
                       GM_STR_ARG(column->unit.len > 0 ? gm_str_slice(column->unit, 0, 40) : GM_STR("no unit")));
    }
    bool same = rule->unit.factor == column->unit_si.factor && rule->unit.offset == column->unit_si.offset;
    if (!same) *number = gm_unit_from_si(&column->unit_si, gm_unit_to_si(&rule->unit, *number));
    return GM_OK;
}

static bool enum_has(const gm_schema *schema, const gm_value *value)
{
    for (size_t i = 0; i < schema->enum_value_count; i++) {
        const gm_value *one = &schema->enum_values[i].value;
        if (one->kind == value->kind && (value->kind == GM_KIND_INT ? one->i == value->i : gm_str_eq(one->s, value->s))) return true;
    }
    return schema->kind != GM_SCHEMA_ENUM;
}

static gm_status fit_whole(const gm_column *column, const gm_map_rule *rule, const gm_value *v, gm_value *out, gm_error *err)
{
    int64_t min = INT64_MIN, max = INT64_MAX;
    bool    plain = v->kind == GM_KIND_INT && (rule == NULL || (!rule->has_scale && !rule->has_unit));
    double  number;
    out->i = v->i;
    if (!plain) {
        if (!number_of(v, &number)) return no_fit_value(column, v, err);
        gm_status st = rule != NULL ? convert(column, rule, &number, err) : GM_OK;
        if (st != GM_OK) return st;
        // Scaling leaves a trace in the last digit: 21.0000000000000004 is 21.
        if (rule != NULL && (rule->has_scale || rule->has_unit) && fabs(number - nearbyint(number)) <= 1e-9 * fabs(number))
            number = nearbyint(number);
        if (!(fabs(number) <= 9007199254740992.0) || number != floor(number)) return no_fit_value(column, v, err);
        out->i = (int64_t)number;
    }
    (void)gm_schema_int_range(column->schema->kind, &min, &max);
    out->kind = GM_KIND_INT;
    if (out->i < min || out->i > max || !enum_has(column->schema, out)) return no_fit_value(column, v, err);
    return GM_OK;
}

static gm_status fit_text(const gm_column *column, const gm_value *v, gm_value *out, gm_error *err)
{
    // A number was guessed from text that had no types; a column of texts wants what was sent, which is lost here but
    // for whole numbers.
    if (v->kind != GM_KIND_STRING) return no_fit_value(column, v, err);
    *out = *v;
    bool fits = gm_schema_text_fits(column->schema->kind, v->s) && enum_has(column->schema, out);
    return fits ? GM_OK : no_fit_value(column, v, err);
}

static gm_status fit_document(const gm_column *column, const gm_value *v, gm_value *out, gm_error *err)
{
    if (v->kind != GM_KIND_JSON) return no_fit_value(column, v, err);
    json_t   *json = json_loadb(v->s.ptr, v->s.len, JSON_REJECT_DUPLICATES, NULL);
    gm_status st   = json != NULL ? gm_schema_check(column->schema, json, column->path, err) : no_fit_value(column, v, err);
    json_decref(json);
    *out = *v;
    return st;
}

gm_status gm_map_fit(const gm_column *column, const gm_map_rule *rule, const gm_value *value, gm_value *out_value,
                     gm_error *err)
{
    out_value->kind = column->kind;
    switch (column->kind) {
    case GM_KIND_DOUBLE: {
        double number;
        if (!number_of(value, &number)) return no_fit_value(column, value, err);
        gm_status st = rule != NULL ? convert(column, rule, &number, err) : GM_OK;
        if (st != GM_OK) return st;
        bool range = fabs(number) <= (column->schema->kind == GM_SCHEMA_FLOAT ? (double)FLT_MAX : DBL_MAX);
        out_value->d = number;
        return range ? GM_OK : no_fit_value(column, value, err);
    }
    case GM_KIND_INT: return fit_whole(column, rule, value, out_value, err);
    case GM_KIND_BOOL: {
        double number;
        bool   word = value->kind == GM_KIND_STRING && gm_map_guess(value->s).kind == GM_KIND_BOOL;
        out_value->i = word ? gm_map_guess(value->s).i : 0;
        if (word) return GM_OK;
        if (!number_of(value, &number) || (number != 0.0 && number != 1.0)) return no_fit_value(column, value, err);
        out_value->i = number != 0.0;
        return GM_OK;
    }
    case GM_KIND_STRING: return fit_text(column, value, out_value, err);
    default: return fit_document(column, value, out_value, err);
    }
}

gm_status gm_map_cells(const gm_mapped *mapped, const gm_type *type, gm_time_ns now, gm_time_ns latest, gm_arena *arena,
                       gm_map_cell_list *out, gm_error *err)
{
    *out       = (gm_map_cell_list){ .items = GM_ARENA_NEW(arena, gm_cell_write, mapped->count + 1) };
    if (out->items == NULL) return gm_fail(err, GM_NOMEM, WHERE, "an update of %zu values", mapped->count);
    for (size_t i = 0; i < mapped->count; i++) {
        const gm_map_value *v      = &mapped->values[i];
        uint32_t            column = gm_type_column_index(type, v->path);
        if (column == GM_NO_COLUMN) {
            if (v->rule == NULL && !mapped->map->strict) continue;
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is not part of model " GM_STR_FMT,
                           GM_STR_ARG(gm_str_slice(v->path, 0, 60)), GM_STR_ARG(type->id));
        }
        gm_cell_write *cell = &out->items[out->count];
        cell->column        = (uint16_t)column;
        cell->at            = v->at != GM_MAP_NO_TIME ? v->at : mapped->at != GM_MAP_NO_TIME ? mapped->at : now;
        if (cell->at > latest) return gm_fail(err, GM_INVALID, WHERE, "the time lies too far in the future");
        gm_status st = gm_map_fit(&type->columns[column], v->rule, &v->value, &cell->value, err);
        if (st != GM_OK) return st;
        if (!type->columns[column].is_telemetry) out->flags |= GM_WRITE_PROPERTIES;
        out->count++;
    }
    if (out->count > 0) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, "nothing in it is part of model " GM_STR_FMT, GM_STR_ARG(type->id));
}

// ---- before any message -------------------------------------------------------------------------------------------
gm_str gm_map_model(const gm_map *map)
{
    const gm_json *model = gm_json_get(gm_json_get(map->create, GM_STR("$metadata")), GM_STR("$model"));
    bool           fixed = gm_json_is(model, GM_JSON_STRING) && gm_str_find_char(model->text, '{') == SIZE_MAX;
    return fixed ? model->text : (gm_str){ "", 0 };
}

gm_status gm_map_check(const gm_map *map, const gm_type *type, gm_error *err)
{
    for (size_t i = 0; i < map->rule_count; i++) {
        const gm_map_rule *rule   = &map->rules[i];
        const gm_column   *column = gm_type_column(type, rule->to);
        double             number = 0.0;
        if (column == NULL) {
            return gm_fail(err, GM_INVALID, WHERE, "model " GM_STR_FMT " has no '" GM_STR_FMT "'", GM_STR_ARG(type->id),
                           GM_STR_ARG(gm_str_slice(rule->to, 0, 60)));
        }
        bool is_number = column->kind == GM_KIND_DOUBLE || column->kind == GM_KIND_INT;
        if ((rule->has_unit || rule->has_scale) && !is_number)
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is no number, so it has no unit or scale", GM_STR_ARG(gm_str_slice(rule->to, 0, 60)));
        gm_status st = convert(column, rule, &number, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}
