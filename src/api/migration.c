// Twins that change their model: a dry run that says what stands in the way, and the change of all of them at once.
#include "api/migration.h"

#include "api/held.h"
#include "api/routes.h"

enum { FAILURES_TOLD = 1000, TWINS_BETWEEN_LOOKS = 8 };

// ---- one twin -------------------------------------------------------------------------------------------------------

// Telemetry that the new model does not know goes silently: nobody could remove it by a patch.
static void drop_foreign_telemetry(json_t *document, const gm_type *from, const gm_type *to)
{
    for (size_t i = 0; i < from->column_count; i++) {
        const gm_column *column = &from->columns[i];
        if (!column->is_telemetry || gm_type_column_index(to, column->path) != GM_NO_COLUMN) continue;
        json_t *scope = document;
        if (column->component != GM_NO_COMPONENT) {
            gm_str name = from->components[column->component].name;
            scope       = json_object_getn(document, name.ptr, name.len);
        }
        json_object_deln(scope, column->name.ptr, column->name.len);
        json_object_deln(json_object_get(scope, "$metadata"), column->name.ptr, column->name.len);
    }
}

void gm_migration_drop_foreign(json_t *document, const gm_type *from, const gm_type *to)
{
    drop_foreign_telemetry(document, from, to);
}

static gm_status check_relationships(gm_engine *engine, gm_twin twin, const gm_type *to, gm_error *err)
{
    const gm_state *state = gm_engine_state(engine);
    for (gm_edge e = gm_state_first_out(state, twin); gm_edge_ok(e); e = gm_state_next_out(state, e)) {
        gm_relationship             out      = gm_state_relationship(state, e);
        const gm_relationship_type *declared = gm_type_relationship(to, out.name);
        if (declared == NULL) {
            return gm_fail(err, GM_INVALID, "api.migration",
                           "relationship '" GM_STR_FMT "' is a '" GM_STR_FMT "', which the new model does not declare",
                           GM_STR_ARG(gm_str_slice(out.id, 0, 60)), GM_STR_ARG(gm_str_slice(out.name, 0, 60)));
        }
        const gm_type *wanted =
            declared->target.len > 0 ? gm_model_find(gm_engine_model(engine), declared->target) : NULL;
        if (wanted != NULL && !gm_type_is(gm_state_type(state, out.target), wanted)) {
            return gm_fail(err, GM_INVALID, "api.migration",
                           "relationship '" GM_STR_FMT "' leads to a twin that the new model does not admit there",
                           GM_STR_ARG(gm_str_slice(out.id, 0, 60)));
        }
    }
    for (gm_edge e = gm_state_first_in(state, twin); gm_edge_ok(e); e = gm_state_next_in(state, e)) {
        gm_relationship             in       = gm_state_relationship(state, e);
        const gm_relationship_type *declared = gm_type_relationship(gm_state_type(state, in.source), in.name);
        const gm_type              *wanted   = declared != NULL && declared->target.len > 0
                                                   ? gm_model_find(gm_engine_model(engine), declared->target)
                                                   : NULL;
        if (wanted != NULL && !gm_type_is(to, wanted)) {
            return gm_fail(err, GM_INVALID, "api.migration",
                           "relationship '" GM_STR_FMT "' of '" GM_STR_FMT "' leads here and needs a " GM_STR_FMT,
                           GM_STR_ARG(gm_str_slice(in.id, 0, 50)),
                           GM_STR_ARG(gm_str_slice(gm_state_id(state, in.source), 0, 50)),
                           GM_STR_ARG(gm_str_slice(wanted->id, 0, 60)));
        }
    }
    return GM_OK;
}

gm_status gm_migration_read(gm_engine *engine, gm_twin twin, const gm_type *to, gm_time_ns now, gm_arena *arena,
                            gm_twin_document *out_document, gm_error *err)
{
    const gm_state *state = gm_engine_state(engine);
    gm_alloc        alloc = gm_arena_alloc(arena);
    gm_buf          text  = gm_buf_init(&alloc);
    gm_document_write_twin_bare(state, twin, &text);
    json_t *document = text.failed ? NULL : json_loadb((const char *)text.ptr, text.len, 0, NULL);
    if (document == NULL) return gm_fail(err, GM_NOMEM, "api.migration", "reading a twin");
    drop_foreign_telemetry(document, gm_state_type(state, twin), to);
    json_object_set_new(json_object_get(document, "$metadata"), "$model", json_stringn(to->id.ptr, to->id.len));
    gm_status st = gm_document_read_twin(gm_engine_model(engine), document, now, arena, out_document, err);
    json_decref(document);
    if (st == GM_NOTFOUND || st == GM_LIMIT) st = GM_INVALID;
    return st == GM_OK ? check_relationships(engine, twin, to, err) : st;
}

// ---- all twins of a model -------------------------------------------------------------------------------------------

// CHECKING --none fails, or those may stay behind--> MOVING --all committed--> answered
//     +--dry run, or some fail--> answered
typedef struct migrating {
    gm_held        held;
    gm_request    *request;
    const gm_type *from, *to;
    bool           dry_run, skip, moving;
    uint32_t       next;       // twin
    uint64_t       checked, failed, moved, lost, pending;
    gm_buf         failures;
    gm_arena      *arena;
    gm_status      status;
    gm_error       err;
} migrating;

static void on_moved(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    migrating *m = context;
    m->pending--;
    if (status == GM_OK) m->moved++;
    else if (status == GM_CONFLICT) m->lost++;  // it was deleted meanwhile
    else if (m->status == GM_OK) {
        m->status = status;
        m->err    = *err;
    }
    gm_request_release(m->request);
}

static void note_failure(migrating *m, gm_twin twin, const char *why)
{
    if (m->moving || m->failed++ >= FAILURES_TOLD) return;
    gm_buf_text(&m->failures, m->failed > 1 ? ",{\"twin\":" : "{\"twin\":");
    gm_buf_json_str(&m->failures, gm_state_id(gm_api_state(m->request), twin));
    gm_buf_text(&m->failures, ",\"why\":");
    gm_buf_json_str(&m->failures, gm_str_of(why));
    gm_buf_byte(&m->failures, '}');
}

// One twin: read as one of the new model, and put when it is time for that. False: wait for what is in flight.
static bool take_twin(migrating *m, gm_twin twin)
{
    gm_engine       *engine = m->request->engine;
    gm_twin_document document;
    gm_error         err = { 0 };
    gm_str           id  = gm_state_id(gm_engine_state(engine), twin);
    if (m->moving && gm_engine_busy(engine, id)) return false;
    gm_arena_clear(m->arena);
    gm_status st = gm_migration_read(engine, twin, m->to, gm_api_now(m->request), m->arena, &document, &err);
    if (!m->moving) m->checked++;
    if (st == GM_INVALID) note_failure(m, twin, err.text);
    if (st == GM_INVALID || (st == GM_OK && !m->moving)) return true;
    if (st == GM_OK) {
        st = gm_engine_twin_put(engine, twin, id, document.type, document.cells, document.count,
                                (gm_ask){ on_moved, m, 0 }, NULL, &err);
        if (st == GM_OK) {
            m->pending++;
            gm_request_hold(m->request);  // m lies in it, and is told when this has come
        }
        if (st == GM_LIMIT) return false;
    }
    if (st != GM_OK) {
        m->status = st;
        m->err    = err;
    }
    return true;
}

static void reply(migrating *m)
{
    gm_request *request = m->request;
    if (m->status != GM_OK) {
        gm_reply_failure(request, m->status, &m->err);
        return;
    }
    bool refused = m->failed > 0 && !m->dry_run && !m->skip;
    gm_buf_printf(&request->out,
                  "{\"from\":\"" GM_STR_FMT "\",\"to\":\"" GM_STR_FMT
                  "\",\"dryRun\":%s,\"checked\":%llu,\"failed\":%llu,\"migrated\":%llu,\"failures\":[",
                  GM_STR_ARG(m->from->id), GM_STR_ARG(m->to->id), m->dry_run ? "true" : "false",
                  (unsigned long long)m->checked, (unsigned long long)m->failed, (unsigned long long)m->moved);
    gm_buf_str(&request->out, gm_buf_view(&m->failures));
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, refused ? 409 : 200);
}

static bool over(migrating *m)
{
    if (m->status != GM_OK) return m->pending == 0;
    if (m->next < gm_state_next_twin(gm_api_state(m->request))) return false;
    if (m->moving) return m->pending == 0;
    if (m->dry_run || (m->failed > 0 && !m->skip)) return true;
    m->moving = true;
    m->next   = 0;
    return false;
}

static bool migrate_on(void *context, gm_dur_ns *pause)
{
    migrating      *m       = context;
    gm_request     *request = m->request;
    const gm_clock *clock   = request->api->options.clock;
    gm_dur_ns       until   = gm_monotonic(clock) + GM_MILLISECOND;
    for (int n = 1; m->status == GM_OK && m->next < gm_state_next_twin(gm_api_state(request)); n++) {
        gm_twin twin  = { m->next };
        bool    there =
            gm_state_exists(gm_api_state(request), twin) && gm_state_type(gm_api_state(request), twin) == m->from;
        if (there && !take_twin(m, twin)) {
            *pause = GM_MILLISECOND;
            break;
        }
        m->next++;
        if (n % TWINS_BETWEEN_LOOKS == 0 && gm_monotonic(clock) >= until) break;
    }
    bool done = over(m);
    if (m->pending > 0) *pause = GM_MILLISECOND;
    if (done) reply(m);
    return !done;
}

static void end_migration(void *context)
{
    migrating *m = context;
    gm_buf_finish(&m->failures);
    gm_arena_destroy(m->arena);
}

static const gm_type *type_member(gm_request *request, const json_t *body, const char *name)
{
    const json_t  *text = json_object_get(body, name);
    gm_str         id   = { json_string_value(text), json_string_length(text) };
    const gm_type *type = id.ptr != NULL ? gm_model_find(gm_api_model(request), id) : NULL;
    if (type == NULL) {
        gm_reply_error(request, id.ptr != NULL ? 404 : 400, id.ptr != NULL ? "ModelNotFound" : "InvalidArgument",
                       "'%s' must name a model that exists; the body is "
                       "{\"from\":DTMI,\"to\":DTMI,\"dryRun\":true,\"skipFailing\":false}.",
                       name);
    }
    return type;
}

void gm_route_migrate(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    const gm_type *from = type_member(request, body, "from");
    const gm_type *to   = from != NULL ? type_member(request, body, "to") : NULL;
    if (to == NULL) return;
    const json_t *dry = json_object_get(body, "dryRun"), *skip = json_object_get(body, "skipFailing");
    if (from == to || (dry != NULL && !json_is_boolean(dry)) || (skip != NULL && !json_is_boolean(skip))) {
        gm_reply_error(request, 400, "InvalidArgument",
                       "from and to are two models; dryRun and skipFailing are true or false.");
        return;
    }
    if (to->decommissioned) {
        gm_reply_error(request, 400, "ModelDecommissioned", "The model " GM_STR_FMT " is decommissioned.",
                       GM_STR_ARG(to->id));
        return;
    }
    migrating *m   = GM_ARENA_NEW(request->arena, migrating, 1);
    gm_error   err = { 0 };
    gm_status  st  = GM_NOMEM;
    if (m != NULL) {
        *m = (migrating){ .request  = request,
                          .from     = from,
                          .to       = to,
                          .dry_run  = json_is_true(dry),
                          .skip     = json_is_true(skip),
                          .failures = gm_buf_init(request->alloc),
                          .arena    = gm_arena_create(request->alloc, 0) };
        if (m->arena != NULL) st = gm_held_begin(&m->held, request, migrate_on, end_migration, m, &err);
    }
    if (st == GM_OK) {
        if (!m->dry_run) gm_request_audit(request);
        return;
    }
    if (m != NULL) gm_arena_destroy(m->arena);
    gm_reply_failure(request, GM_NOMEM, NULL);
}
