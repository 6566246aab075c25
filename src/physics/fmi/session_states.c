// Going back: with the states that an FMU saves, or by telling a fresh process what the old one was told.
#include "physics/fmi/session_parts.h"

static gm_status take_slot(gm_fmu_session *s, gm_fmu_snapshot *out, gm_error *err)
{
    for (uint32_t i = 0; i < sizeof s->slots; i++) {
        if (s->slots[i]) continue;
        s->slots[i] = 1;
        *out        = (gm_fmu_snapshot){ .slot = i };
        return GM_OK;
    }
    return gm_fail(err, GM_LIMIT, "fmi.session", "%zu saved states", sizeof s->slots);
}

static gm_status state_call(gm_fmu_session *s, gm_fmu_op op, uint32_t slot, gm_error *err)
{
    gm_fmu_reader out;
    gm_fmu_put_u32(gm_fmu_session_begin(s, op), slot);
    return gm_fmu_session_exchange(s, &s->request, &out, NULL, NULL, err);
}

gm_status gm_fmu_save(gm_fmu_session *s, gm_fmu_snapshot *out_snapshot, gm_error *err)
{
    gm_status st  = gm_fmu_session_flush(s, err);
    *out_snapshot = (gm_fmu_snapshot){ .replayed = true, .journal = s->journal.len };
    if (st != GM_OK) return st;
    if (s->keeps_journal) {
        return s->journal.failed ? gm_fail(err, GM_LIMIT, "fmi.session", "the FMU can not save its state, and its input log is full") : GM_OK;
    }
    s->goes_back = true;
    st           = take_slot(s, out_snapshot, err);
    if (st != GM_OK) return st;
    st = state_call(s, GM_FMU_OP_STATE_SAVE, out_snapshot->slot, err);
    if (st != GM_OK) s->slots[out_snapshot->slot] = 0;
    return st;
}

static gm_status replay(gm_fmu_session *s, size_t length, gm_error *err)
{
    gm_fmu_process_end(&s->process, true, NULL);
    gm_fmu_process_finish(&s->process);
    gm_buf_clear(&s->waiting);
    s->instantiated = false;
    gm_status st    = gm_fmu_process_start(s->host.program, s->host.memory_max, &s->process, err);
    for (gm_fmu_reader r = { s->journal.ptr, length, false }; st == GM_OK && r.left > 0 && !r.bad;) {
        gm_fmu_reader out;
        gm_str        request = gm_fmu_take_text(&r);
        gm_buf_clear(&s->request);
        gm_buf_str(&s->request, request);
        if (!s->request.failed && request.len == 0) break;
        st = gm_fmu_session_exchange(s, &s->request, &out, NULL, NULL, err);
        if (st == GM_OK && request.ptr[0] == GM_FMU_OP_INSTANTIATE) s->instantiated = true;
    }
    s->journal.len = length;
    return st;
}

gm_status gm_fmu_restore(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_error *err)
{
    if (!snapshot->replayed) {
        gm_status st = gm_fmu_session_flush(s, err);
        return st == GM_OK ? state_call(s, GM_FMU_OP_STATE_RESTORE, snapshot->slot, err) : st;
    }
    if (snapshot->journal > s->journal.len) return gm_fail(err, GM_CONFLICT, "fmi.session", "the instance was set back before this point");
    return replay(s, snapshot->journal, err);
}

void gm_fmu_forget(gm_fmu_session *s, const gm_fmu_snapshot *snapshot)
{
    if (snapshot->replayed || snapshot->slot >= sizeof s->slots || !s->slots[snapshot->slot]) return;
    gm_status st = s->process.pid > 0 ? state_call(s, GM_FMU_OP_STATE_FREE, snapshot->slot, NULL) : GM_OK;
    if (st == GM_OK) s->slots[snapshot->slot] = 0;
}

gm_status gm_fmu_write_state(gm_fmu_session *s, const gm_fmu_snapshot *snapshot, gm_buf *bytes, gm_error *err)
{
    gm_fmu_reader out;
    if (snapshot->replayed) return gm_fail(err, GM_INVALID, "fmi.session", "this FMU's states have no bytes");
    gm_fmu_put_u32(gm_fmu_session_begin(s, GM_FMU_OP_STATE_WRITE), snapshot->slot);
    gm_status st = gm_fmu_session_exchange(s, &s->request, &out, NULL, NULL, err);
    if (st != GM_OK) return st;
    gm_buf_str(bytes, gm_fmu_take_text(&out));
    if (out.bad) return gm_fmu_session_nonsense(s, GM_FMU_OP_STATE_WRITE, err);
    return bytes->failed ? gm_fail(err, GM_NOMEM, "fmi.session", "an FMU's state") : GM_OK;
}

gm_status gm_fmu_read_state(gm_fmu_session *s, gm_str bytes, gm_fmu_snapshot *out_snapshot, gm_error *err)
{
    gm_fmu_reader out;
    gm_status     st = take_slot(s, out_snapshot, err);
    if (st != GM_OK) return st;
    gm_buf *request = gm_fmu_session_begin(s, GM_FMU_OP_STATE_READ);
    gm_fmu_put_u32(request, out_snapshot->slot);
    gm_fmu_put_text(request, bytes);
    st = gm_fmu_session_exchange(s, request, &out, NULL, NULL, err);
    if (st != GM_OK) s->slots[out_snapshot->slot] = 0;
    return st;
}
