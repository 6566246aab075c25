#include "futures/fmu_note.h"

#include "base/number.h"
#include "futures/group_parts.h"

#include <jansson.h>
#include <math.h>

static const char WHERE[] = "futures.fmu";

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "binding an FMU"); }

// ---- reading ------------------------------------------------------------------------------------------------------

static gm_status read_pairs(gm_arena *arena, const json_t *variables, gm_fmu_note *out, gm_error *err)
{
    const char *column;
    json_t     *variable;
    if (variables == NULL) return GM_OK;
    if (!json_is_object(variables))
        return gm_fail_at(err, GM_INVALID, WHERE, 1, 1, "\"variables\" must be an object of columns and variables");
    out->pairs = GM_ARENA_NEW(arena, gm_fmu_pair, json_object_size(variables) + 1);
    if (out->pairs == NULL) return no_memory(err);
    json_object_foreach((json_t *)(uintptr_t)variables, column, variable)
    {
        if (!json_is_string(variable))
            return gm_fail_at(err, GM_INVALID, WHERE, 1, 1, "\"variables\": \"%.100s\" must be the name of a variable",
                              column);
        gm_fmu_pair pair = { gm_arena_str(arena, gm_str_of(column)),
                             gm_arena_str(arena, gm_str_of(json_string_value(variable))) };
        if (pair.column.ptr == NULL || pair.variable.ptr == NULL) return no_memory(err);
        out->pairs[out->pair_count++] = pair;
    }
    return GM_OK;
}

gm_status gm_fmu_note_read(gm_arena *arena, gm_str file, gm_str text, gm_fmu_note *out, gm_error *err)
{
    json_error_t where;
    json_t      *body = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
    gm_status    st   = GM_OK;
    *out              = (gm_fmu_note){ .file = gm_arena_str(arena, file) };
    if (body == NULL)
        return gm_fail_at(err, GM_INVALID, WHERE, (uint32_t)(where.line > 0 ? where.line : 1),
                          (uint32_t)(where.column > 0 ? where.column : 1), "not JSON: %.120s", where.text);
    const char *interface = json_string_value(json_object_get(body, "interface"));
    size_t      stem      = file.len > 5 ? file.len - 5 : 0;  // without ".json"
    out->fmu = gm_arena_printf(arena, GM_STR_FMT ".fmu", GM_STR_ARG(gm_str_slice(file, 0, stem)));
    if (interface == NULL) {
        st = gm_fail_at(err, GM_INVALID, WHERE, 1, 1,
                        "\"interface\" is missing: the DTMI of the twins that the FMU beside it serves");
    } else {
        out->interface_id = gm_arena_str(arena, gm_str_of(interface));
        st                = read_pairs(arena, json_object_get(body, "variables"), out, err);
    }
    json_decref(body);
    if (st == GM_OK && (out->file.ptr == NULL || out->fmu.ptr == NULL || out->interface_id.ptr == NULL))
        st = no_memory(err);
    return st;
}

const gm_fmu_note *gm_fmu_note_of(const gm_fmu_note *notes, size_t count, const gm_type *type)
{
    const gm_fmu_note *best = NULL;
    const gm_type     *from = NULL;
    for (size_t i = 0; i < count; i++) {
        if (gm_str_eq(notes[i].interface_id, type->id)) return &notes[i];
        for (size_t b = 0; b < type->base_count; b++) {
            if (!gm_str_eq(notes[i].interface_id, type->bases[b]->id)) continue;
            if (from != NULL && !gm_type_is(type->bases[b], from)) continue;
            best = &notes[i];
            from = type->bases[b];
        }
    }
    return best;
}

// ---- binding ------------------------------------------------------------------------------------------------------

static gm_role role_of(const gm_fmu_variable *v)
{
    switch (v->causality) {
    case GM_FMI_PARAMETER: return GM_ROLE_PARAMETER;
    case GM_FMI_INPUT: return GM_ROLE_INPUT;
    default: return v->initial == GM_FMI_EXACT || v->initial == GM_FMI_APPROX ? GM_ROLE_STATE : GM_ROLE_OUTPUT;
    }
}

// FMI names units by texts and defines them in base units; what it does not define is read as Modelica's unit.
static bool unit_way(const gm_column *column, const gm_fmu_description *d, gm_str name, double *factor, double *offset)
{
    static const int order[8] = { GM_DIM_KG, GM_DIM_M,   GM_DIM_S,  GM_DIM_A,
                                  GM_DIM_K,  GM_DIM_MOL, GM_DIM_CD, GM_DIM_RAD };
    for (uint32_t i = 0; name.len > 0 && column->unit.len > 0 && i < d->unit_count; i++) {
        const gm_fmu_unit *u = &d->units[i];
        if (!u->has_base || !gm_str_eq(u->name, name)) continue;
        gm_unit unit = { .factor = u->factor, .offset = u->offset };
        for (int k = 0; k < 8; k++) unit.dim[order[k]] = (int8_t)u->exponents[k];
        if (!gm_unit_comparable(&column->unit_si, &unit)) return false;
        *factor = column->unit_si.factor / unit.factor;
        *offset = (column->unit_si.offset - unit.offset) / unit.factor;
        return true;
    }
    return gm_unit_way(column, name, factor, offset);
}

static gm_str listed(const gm_fmu_note *note, gm_str column)
{
    for (size_t i = 0; i < note->pair_count; i++) {
        if (gm_str_eq(note->pairs[i].column, column)) return note->pairs[i].variable;
    }
    return (gm_str){ 0 };
}

static gm_status bind_column(gm_arena *arena, const gm_fmu_note *note, const gm_fmu_description *d, uint32_t column,
                             gm_fmu_bound *out, gm_error *err)
{
    const gm_column *c       = &out->type->columns[column];
    gm_str           name    = listed(note, c->path);
    bool             by_name = name.len == 0;
    if (by_name) name = gm_column_variable(arena, c->path);
    if (name.ptr == NULL) return no_memory(err);
    const gm_fmu_variable *v = gm_fmu_find(d, name);
    if (v == NULL && by_name) return GM_OK;
    if (v == NULL)
        return gm_fail_at(err, GM_INVALID, WHERE, 1, 1, "the FMU has no variable '" GM_STR_FMT "'",
                          GM_STR_ARG(gm_str_slice(name, 0, 100)));
    bool scalar = c->kind == GM_KIND_DOUBLE || c->kind == GM_KIND_INT || c->kind == GM_KIND_BOOL;
    bool number =
        v->type != GM_FMI_STRING && v->type != GM_FMI_BINARY && v->type != GM_FMI_CLOCK && v->dimension_count == 0;
    if (!scalar || !number)
        return by_name ? GM_OK
                       : gm_fail_at(err, GM_INVALID, WHERE, 1, 1,
                                    "'" GM_STR_FMT "' and the FMU's '" GM_STR_FMT "' must be single numbers",
                                    GM_STR_ARG(gm_str_slice(c->path, 0, 60)), GM_STR_ARG(gm_str_slice(name, 0, 60)));
    gm_fmu_binding to = { .column = column, .role = role_of(v), .variable = v };
    if (!unit_way(c, d, v->unit, &to.factor, &to.offset))
        return gm_fail_at(err, GM_INVALID, WHERE, 1, 1,
                          "'" GM_STR_FMT "' is in " GM_STR_FMT ", the FMU's '" GM_STR_FMT "' in \"" GM_STR_FMT
                          "\", which can not be converted",
                          GM_STR_ARG(gm_str_slice(c->path, 0, 50)), GM_STR_ARG(c->unit),
                          GM_STR_ARG(gm_str_slice(name, 0, 50)), GM_STR_ARG(gm_str_slice(v->unit, 0, 20)));
    out->bindings[out->count++] = to;
    return GM_OK;
}

gm_status gm_fmu_note_bind(gm_arena *arena, const gm_fmu_note *note, const gm_fmu_description *d, const gm_type *type,
                           gm_fmu_bound *out, gm_error *err)
{
    *out = (gm_fmu_bound){ .type = type, .bindings = GM_ARENA_NEW(arena, gm_fmu_binding, type->column_count + 1) };
    if (out->bindings == NULL) return no_memory(err);
    for (size_t i = 0; i < note->pair_count; i++) {
        if (gm_type_column_index(type, note->pairs[i].column) == GM_NO_COLUMN)
            return gm_fail_at(err, GM_INVALID, WHERE, 1, 1, GM_STR_FMT " has no property or telemetry '" GM_STR_FMT "'",
                              GM_STR_ARG(type->id), GM_STR_ARG(gm_str_slice(note->pairs[i].column, 0, 80)));
    }
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < type->column_count; i++) st = bind_column(arena, note, d, i, out, err);
    return st;
}

// ---- values -------------------------------------------------------------------------------------------------------

static gm_str value_text(gm_arena *arena, const gm_fmu_binding *b, const gm_value *value)
{
    double outside = value->kind == GM_KIND_DOUBLE ? value->d : (double)value->i;
    double inside  = outside * b->factor + b->offset;
    char   text[GM_NUMBER_TEXT];
    if (b->variable->type == GM_FMI_BOOLEAN) return inside > 0.5 ? GM_STR("true") : GM_STR("false");
    if (b->variable->type != GM_FMI_FLOAT64 && b->variable->type != GM_FMI_FLOAT32)
        return gm_arena_printf(arena, "%.0f", round(inside));
    return gm_arena_str(arena, (gm_str){ text, gm_number_write(inside, text) });
}

gm_status gm_fmu_bound_settings(gm_arena *arena, const gm_fmu_bound *bound, const gm_group_reader *reader, gm_twin twin,
                                gm_fmu_setting **out_settings, uint32_t *out_count, gm_error *err)
{
    gm_fmu_setting *settings = GM_ARENA_NEW(arena, gm_fmu_setting, bound->count + 1);
    *out_settings            = settings;
    *out_count               = 0;
    if (settings == NULL) return no_memory(err);
    for (size_t i = 0; i < bound->count; i++) {
        const gm_fmu_binding *b = &bound->bindings[i];
        gm_value              value;
        gm_time_ns            source;
        if (b->role == GM_ROLE_OUTPUT || !reader->read(reader->context, twin, b->column, &value, &source)) continue;
        if (value.kind != GM_KIND_DOUBLE && value.kind != GM_KIND_INT && value.kind != GM_KIND_BOOL) continue;
        gm_str text = value_text(arena, b, &value);
        if (text.ptr == NULL) return no_memory(err);
        settings[(*out_count)++] = (gm_fmu_setting){ b->variable->name, text };
    }
    return GM_OK;
}
