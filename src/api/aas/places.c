// Where listings are, and how they go on.
#include "api/aas/aas.h"
#include "api/thread/life.h"
#include "base/crc32c.h"

#include <stdio.h>
#include <stdlib.h>

void gm_aas_write_error(gm_request *request, const char *code, gm_str message)
{
    char time[GM_TIME_TEXT] = "";
    if (request->api != NULL) gm_time_format(gm_api_now(request), time);
    gm_buf_text(&request->out, "{\"messages\":[{\"code\":");
    gm_buf_json_str(&request->out, gm_str_of(code));
    gm_buf_text(&request->out, ",\"messageType\":\"Error\",\"text\":");
    gm_buf_json_str(&request->out, message);
    gm_buf_printf(&request->out, ",\"timestamp\":\"%s\"}]}", time);
}

static bool sees(void *context, gm_str id) { return gm_life_sees(context, id); }

gm_aas_world gm_aas_world_of(gm_request *request)
{
    return (gm_aas_world){ .model = gm_api_model(request), .state = gm_api_state(request), .thread = gm_life_thread(request),
                           .valid = gm_api_now(request), .known = INT64_MAX, .sees = gm_principal_scoped(request->principal) ? sees : NULL, .context = request };
}

// ---- cursors ----------------------------------------------------------------------------------------------------------

enum { CURSOR_TEXT = 64 };

static void write_cursor(gm_aas_place place, gm_str list, char out[CURSOR_TEXT])
{
    int      n     = snprintf(out, CURSOR_TEXT, "%x.%x.%x", (unsigned)place.phase, place.at, place.sub);
    uint32_t check = gm_crc32c(gm_crc32c(0, list.ptr, list.len), out, (size_t)n);
    snprintf(out + n, (size_t)(CURSOR_TEXT - n), ".%08x", check);
}

// Ours, and of this very list: anything else would show a place that nobody meant.
static bool read_cursor(gm_request *request, gm_str list, gm_aas_place *out)
{
    gm_str text;
    char   copy[CURSOR_TEXT], again[CURSOR_TEXT];
    *out = (gm_aas_place){ 0 };
    if (!gm_request_parameter(request, "cursor", &text)) return false;
    if (text.len == 0) return true;
    if (text.len < sizeof copy) {
        char *end = copy;
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        out->phase     = (gm_aas_phase)(strtoul(end, &end, 16) & 3);
        out->at        = *end == '.' ? (uint32_t)strtoul(end + 1, &end, 16) : 0;
        out->sub       = *end == '.' ? (uint32_t)strtoul(end + 1, &end, 16) : 0;
        write_cursor(*out, list, again);
        if (strcmp(copy, again) == 0) return true;
    }
    gm_reply_error(request, 400, "BadRequest", "The cursor is invalid.");
    return false;
}

// ---- walking ----------------------------------------------------------------------------------------------------------

bool gm_aas_list_begin(gm_aas_listing *l)
{
    uint64_t limit;
    if (!gm_request_number(l->request, "limit", 1, 1000000000, GM_AAS_PAGE, &limit)) return false;
    if (!read_cursor(l->request, gm_str_of(l->request->route->pattern), &l->place)) return false;
    l->limit = limit > GM_AAS_PAGE_MAX ? GM_AAS_PAGE_MAX : (uint32_t)limit;
    l->world = gm_aas_world_of(l->request);
    gm_buf_text(&l->request->out, "{\"result\":[");
    return true;
}

// The first interface whose number is `number` or higher; they stand in that order.
static const gm_type *type_from(const gm_model *model, uint32_t number)
{
    size_t low = 0, high = gm_model_count(model);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gm_model_at(model, middle)->number < number) low = middle + 1;
        else high = middle;
    }
    return low < gm_model_count(model) ? gm_model_at(model, low) : NULL;
}

static bool next_type(gm_aas_listing *l, const gm_type **out)
{
    *out = type_from(l->world.model, l->place.at);
    if (*out != NULL) l->place.at = (*out)->number + 1;
    else l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_TWINS };
    return *out != NULL;
}

static bool next_twin(gm_aas_listing *l, gm_str *out)
{
    while (l->place.at < gm_state_next_twin(l->world.state)) {
        gm_twin twin = { l->place.at };
        if (l->steps++ == GM_AAS_STEPS_MAX) return false;
        l->place.at++;
        if (!gm_state_exists(l->world.state, twin) || !gm_api_sees(l->request, twin)) continue;
        *out = gm_state_id(l->world.state, twin);
        return true;
    }
    l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_PARTS };
    return false;
}

static bool next_part(gm_aas_listing *l, gm_str *out)
{
    while (gm_thread_next_twin(l->world.thread, &l->place.at, out)) {
        if (l->steps++ == GM_AAS_STEPS_MAX) {
            l->place.at--;
            return false;
        }
        if (!gm_twin_ok(gm_state_find(l->world.state, *out))) return true;
    }
    l->place = (gm_aas_place){ .phase = GM_AAS_PHASE_END };
    return false;
}

bool gm_aas_list_next(gm_aas_listing *l, gm_str *out_id, const gm_type **out_type)
{
    *out_type = NULL;
    while (l->place.phase != GM_AAS_PHASE_END && l->steps <= GM_AAS_STEPS_MAX) {
        gm_aas_phase phase = l->place.phase;
        bool         found = phase == GM_AAS_PHASE_TYPES ? next_type(l, out_type) : phase == GM_AAS_PHASE_TWINS ? next_twin(l, out_id) : next_part(l, out_id);
        if (found) return true;
    }
    return false;
}

bool gm_aas_list_has_room(const gm_aas_listing *l) { return l->shown < l->limit; }

void gm_aas_list_item(gm_aas_listing *l)
{
    if (l->shown++ > 0) gm_buf_byte(&l->request->out, ',');
}

void gm_aas_list_end(gm_aas_listing *l, bool more)
{
    char cursor[CURSOR_TEXT];
    write_cursor(l->place, gm_str_of(l->request->route->pattern), cursor);
    gm_buf_text(&l->request->out, "],\"paging_metadata\":{");
    if (more && l->place.phase != GM_AAS_PHASE_END) gm_buf_printf(&l->request->out, "\"cursor\":\"%s\"", cursor);
    gm_buf_text(&l->request->out, "}}");
    gm_reply_json(l->request, 200);
}
