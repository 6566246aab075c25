// From columns to JSON. The columns of one component or object lie side by side, so a document is written in one walk:
// at each level, runs of columns that share the next part of their paths become an object.
#include "base/number.h"
#include "base/time.h"
#include "state/document.h"

#include <stdio.h>

// The values of a twin mostly came together, so most of its times are the one that was just written.
typedef struct last_time { gm_time_ns time; size_t len; char text[GM_TIME_TEXT]; } last_time;

typedef struct writer {
    const gm_state *state;
    gm_twin         twin;
    const gm_type  *type;
    gm_buf         *out;
    last_time      *ingest, *source;
    bool            bare;   // only what makes the twin: no ETag, no times of this server
    const gm_document_notes *notes;  // NULL: none
} writer;

typedef struct run { uint32_t from, to; size_t depth; } run;  // columns [from, to) whose paths agree in depth bytes

void gm_document_write_value(gm_value value, gm_buf *out)
{
    char number[GM_NUMBER_TEXT];
    switch (value.kind) {
    case GM_KIND_NONE: gm_buf_text(out, "null"); break;
    case GM_KIND_BOOL: gm_buf_text(out, value.i ? "true" : "false"); break;
    case GM_KIND_INT: gm_buf_printf(out, "%lld", (long long)value.i); break;
    case GM_KIND_DOUBLE: gm_buf_add(out, number, gm_number_write(value.d, number)); break;
    case GM_KIND_JSON: gm_buf_str(out, value.s); break;
    default: gm_buf_json_str(out, value.s);
    }
}

size_t gm_document_etag(uint64_t version, char out[GM_ETAG_TEXT])
{
    return (size_t)snprintf(out, GM_ETAG_TEXT, "W/\"%llx\"", (unsigned long long)version);
}

static void write_etag(uint64_t version, gm_buf *out)
{
    char etag[GM_ETAG_TEXT];
    gm_buf_json_str(out, (gm_str){ etag, gm_document_etag(version, etag) });
}

static void write_time(gm_time_ns time, last_time *last, gm_buf *out)
{
    if (last->len == 0 || last->time != time) {
        last->time = time;
        last->len  = gm_time_format(time, last->text);
    }
    gm_buf_byte(out, '"');
    gm_buf_add(out, last->text, last->len);
    gm_buf_byte(out, '"');
}

static void key(gm_buf *out, bool *first, gm_str name)
{
    if (!*first) gm_buf_byte(out, ',');
    *first = false;
    gm_buf_json_str(out, name);
    gm_buf_byte(out, ':');
}

// The next part of the path of the run's first column, and how many columns share it.
static gm_str next_part(const writer *w, run at, uint32_t *out_end, bool *out_leaf)
{
    gm_str path = w->type->columns[at.from].path;
    gm_str rest = gm_str_slice(path, at.depth, path.len);
    size_t cut  = gm_str_find_char(rest, '/');
    *out_leaf   = cut == SIZE_MAX;
    gm_str part = *out_leaf ? rest : gm_str_slice(rest, 0, cut);
    *out_end    = at.from + 1;
    while (!*out_leaf && *out_end < at.to) {
        gm_str other = w->type->columns[*out_end].path;
        if (other.len <= at.depth + part.len || other.ptr[at.depth + part.len] != '/' ||
            !gm_str_eq(gm_str_slice(other, at.depth, at.depth + part.len), part)) {
            break;
        }
        ++*out_end;
    }
    return part;
}

static bool any_value(const writer *w, run at)
{
    gm_cell cell;
    for (uint32_t c = at.from; c < at.to; c++) {
        gm_state_get(w->state, w->twin, c, &cell);
        if (cell.value.kind != GM_KIND_NONE) return true;
    }
    return false;
}

// The members of one level; objects within recurse, as deep as a path has parts (bounded by the model's limit).
static void write_members(const writer *w, run at, bool *first)
{
    while (at.from < at.to) {
        uint32_t end;
        bool     leaf;
        gm_str   part   = next_part(w, at, &end, &leaf);
        run      inside = { at.from, end, at.depth + part.len + 1 };
        if (leaf) {
            gm_cell cell;
            gm_state_get(w->state, w->twin, at.from, &cell);
            if (cell.value.kind != GM_KIND_NONE) {
                key(w->out, first, part);
                gm_document_write_value(cell.value, w->out);
            }
        } else if (any_value(w, inside)) {
            key(w->out, first, part);
            gm_buf_byte(w->out, '{');
            bool inner = true;
            write_members(w, inside, &inner);
            gm_buf_byte(w->out, '}');
        }
        at.from = end;
    }
}

// "name":{"lastUpdateTime":...,"sourceTime":...} per property; an object's is that of its newest field.
static void write_metadata(const writer *w, run at, bool *first)
{
    while (at.from < at.to) {
        uint32_t end;
        bool     leaf;
        gm_str   part   = next_part(w, at, &end, &leaf);
        gm_cell  newest = { .ingest = GM_ABSENT };
        for (uint32_t c = at.from; c < end; c++) {
            gm_cell cell;
            gm_state_get(w->state, w->twin, c, &cell);
            if (cell.value.kind != GM_KIND_NONE && cell.ingest >= newest.ingest) newest = cell;
        }
        if (newest.value.kind != GM_KIND_NONE) {
            key(w->out, first, part);
            gm_buf_byte(w->out, '{');
            if (!w->bare) {
                gm_buf_text(w->out, "\"lastUpdateTime\":");
                write_time(newest.ingest, w->ingest, w->out);
                gm_buf_byte(w->out, ',');
            }
            gm_buf_text(w->out, "\"sourceTime\":");
            write_time(newest.source, w->source, w->out);
            if (leaf && w->notes != NULL) w->notes->write(w->notes->context, w->twin, at.from, w->out);
            gm_buf_byte(w->out, '}');
        }
        at.from = end;
    }
}

// The columns of a component (or of none): one stretch each.
static run columns_of(const gm_type *type, uint32_t component)
{
    run at = { 0, 0, 0 };
    while (at.from < type->column_count && type->columns[at.from].component != component) at.from++;
    at.to = at.from;
    while (at.to < type->column_count && type->columns[at.to].component == component) at.to++;
    return at;
}

static void write_component(const writer *w, uint32_t component)
{
    run at    = columns_of(w->type, component);
    at.depth  = w->type->components[component].name.len + 1;
    bool first = true;
    gm_buf_byte(w->out, '{');
    write_members(w, at, &first);
    key(w->out, &first, GM_STR("$metadata"));
    gm_buf_byte(w->out, '{');
    bool more = true;
    if (!w->bare) {
        key(w->out, &more, GM_STR("$lastUpdateTime"));
        write_time(gm_state_changed(w->state, w->twin), w->ingest, w->out);
    }
    write_metadata(w, at, &more);
    gm_buf_text(w->out, "}}");
}

void gm_document_write_component(const gm_state *state, gm_twin twin, uint32_t component, const gm_document_notes *notes, gm_buf *out)
{
    last_time ingest = { 0 }, source = { 0 };
    writer    w      = { state, twin, gm_state_type(state, twin), out, &ingest, &source, false, notes };
    write_component(&w, component);
}

// Runs of the twin's own columns: what lies between and around the components' stretches.
static void own_columns(const writer *w, bool *first, void (*write)(const writer *, run, bool *))
{
    for (uint32_t from = 0; from < w->type->column_count;) {
        uint32_t to = from;
        while (to < w->type->column_count && w->type->columns[to].component == GM_NO_COMPONENT) to++;
        if (to > from) write(w, (run){ from, to, 0 }, first);
        while (to < w->type->column_count && w->type->columns[to].component != GM_NO_COMPONENT) to++;
        from = to;
    }
}

static void write_twin(const gm_state *state, gm_twin twin, bool bare, const gm_document_notes *notes, gm_buf *out)
{
    last_time ingest = { 0 }, source = { 0 };
    writer    w      = { state, twin, gm_state_type(state, twin), out, &ingest, &source, bare, notes };
    bool      first  = true;
    gm_buf_byte(out, '{');
    key(out, &first, GM_STR("$dtId"));
    gm_buf_json_str(out, gm_state_id(state, twin));
    if (!bare) {
        key(out, &first, GM_STR("$etag"));
        write_etag(gm_state_version(state, twin), out);
    }
    own_columns(&w, &first, write_members);
    for (uint32_t c = 0; c < w.type->component_count; c++) {
        key(out, &first, w.type->components[c].name);
        write_component(&w, c);
    }
    key(out, &first, GM_STR("$metadata"));
    gm_buf_text(out, "{\"$model\":");
    gm_buf_json_str(out, w.type->id);
    first = false;
    if (!bare) {
        key(out, &first, GM_STR("$lastUpdateTime"));
        write_time(gm_state_changed(state, twin), &ingest, out);
    }
    own_columns(&w, &first, write_metadata);
    gm_buf_text(out, "}}");
}

void gm_document_write_twin(const gm_state *state, gm_twin twin, gm_buf *out) { write_twin(state, twin, false, NULL, out); }
void gm_document_write_twin_bare(const gm_state *state, gm_twin twin, gm_buf *out) { write_twin(state, twin, true, NULL, out); }
void gm_document_write_twin_noted(const gm_state *state, gm_twin twin, const gm_document_notes *notes, gm_buf *out)
{
    write_twin(state, twin, false, notes, out);
}

static void write_relationship(const gm_state *state, gm_edge edge, bool bare, gm_buf *out)
{
    gm_relationship r     = gm_state_relationship(state, edge);
    bool            first = true;
    gm_buf_byte(out, '{');
    key(out, &first, GM_STR("$relationshipId"));
    gm_buf_json_str(out, r.id);
    if (!bare) {
        key(out, &first, GM_STR("$etag"));
        write_etag(r.version, out);
    }
    key(out, &first, GM_STR("$sourceId"));
    gm_buf_json_str(out, gm_state_id(state, r.source));
    key(out, &first, GM_STR("$targetId"));
    gm_buf_json_str(out, gm_state_id(state, r.target));
    key(out, &first, GM_STR("$relationshipName"));
    gm_buf_json_str(out, r.name);
    if (r.properties.len > 2) {  // more than {}
        gm_buf_byte(out, ',');
        gm_buf_str(out, gm_str_slice(r.properties, 1, r.properties.len));
    } else {
        gm_buf_byte(out, '}');
    }
}

void gm_document_write_relationship(const gm_state *state, gm_edge edge, gm_buf *out)
{
    write_relationship(state, edge, false, out);
}

void gm_document_write_relationship_bare(const gm_state *state, gm_edge edge, gm_buf *out)
{
    write_relationship(state, edge, true, out);
}
