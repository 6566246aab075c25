// The worker's loop and what both versions share. This process runs foreign code: whatever it breaks, it breaks here.
#include "physics/fmi/worker.h"

#include "physics/fmi/worker_parts.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int gm_fmu_worker_refuse(gm_fmu_worker *w, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(w->broken, sizeof w->broken, fmt, arguments);
    va_end(arguments);
    return GM_FMI_ERROR;
}

void gm_fmu_worker_log(gm_fmu_worker *w, int status, const char *category, const char *message)
{
    enum { MESSAGE_MAX = 4096 };
    gm_buf_clear(&w->frame);
    gm_fmu_put_u8(&w->frame, status >= 0 && status < GM_FMI_STATUS_COUNT ? (uint8_t)status : (uint8_t)GM_FMI_ERROR);
    gm_str texts[2] = { gm_str_of(category != NULL ? category : ""), gm_str_of(message != NULL ? message : "") };
    for (size_t i = 0; i < 2; i++) gm_fmu_put_text(&w->frame, gm_str_slice(texts[i], 0, MESSAGE_MAX));
    if (gm_fmu_send(w->fd, GM_FMU_FRAME_LOG, w->frame.ptr, w->frame.len, NULL) != GM_OK) _exit(0);
}

void *gm_fmu_worker_room(gm_fmu_worker *w, size_t n, size_t size)
{
    void *room = n <= GM_FMU_COUNT_MAX ? calloc(n + 1, size) : NULL;
    if (room == NULL) gm_fmu_worker_refuse(w, "no memory for %zu values", n);
    return room;
}

void *gm_fmu_worker_array(gm_fmu_worker *w, size_t n, size_t size)
{
    if (n > GM_FMU_COUNT_MAX) {
        gm_fmu_worker_refuse(w, "%zu values in one call", n);
        return NULL;
    }
    const uint8_t *bytes = gm_fmu_take(&w->in, n * size);
    void          *copy  = bytes != NULL || n == 0 ? gm_fmu_worker_room(w, n, size) : NULL;
    if (copy != NULL && n > 0) memcpy(copy, bytes, n * size);
    return copy;
}

const char **gm_fmu_worker_texts(gm_fmu_worker *w, size_t n, size_t *sizes)
{
    if (n > GM_FMU_COUNT_MAX) return NULL;
    // The pointers first, then the bytes; each text ends in a NUL of its own.
    const char **texts = malloc((n + 1) * sizeof *texts + w->in.left + n);
    if (texts == NULL) return NULL;
    char *to = (char *)(texts + n + 1);
    for (size_t i = 0; i < n; i++) {
        gm_str text = gm_fmu_take_text(&w->in);
        if (text.len > 0) memcpy(to, text.ptr, text.len);
        to[text.len] = '\0';
        texts[i]     = to;
        if (sizes != NULL) sizes[i] = text.len;
        to += text.len + 1;
    }
    return texts;
}

static int load(gm_fmu_worker *w)
{
    w->version = gm_fmu_take_u8(&w->in);
    w->kind    = (gm_fmi_kind)gm_fmu_take_u8(&w->in);
    char path[4096];
    gm_str text = gm_fmu_take_text(&w->in);
    if (w->library != NULL || text.len >= sizeof path || w->kind >= GM_FMI_KIND_COUNT) return gm_fmu_worker_refuse(w, "can not load");
    memcpy(path, text.ptr, text.len);
    path[text.len] = '\0';
    w->library     = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (w->library == NULL) {
        const char *why = dlerror();
        return gm_fmu_worker_refuse(w, "%s", why != NULL ? why : "the library does not load");
    }
    gm_fmu_worker_find(w);
    return GM_FMI_OK;
}

static int call(gm_fmu_worker *w, gm_fmu_op op)
{
    if (op >= GM_FMU_OP_COUNT) return gm_fmu_worker_refuse(w, "no such operation");
    *w->now = (uint8_t)op;
    if (op == GM_FMU_OP_LOAD) return load(w);
    if (w->library == NULL || (w->instance == NULL && op != GM_FMU_OP_INSTANTIATE)) return gm_fmu_worker_refuse(w, "no instance");
    if (w->inside && op != GM_FMU_OP_GET && op != GM_FMU_OP_SET) return gm_fmu_worker_refuse(w, "not allowed inside of a step");
    return w->version == 2 ? gm_fmu_worker2_call(w, op) : gm_fmu_worker3_call(w, op);
}

typedef enum outcome { WENT_ON, STEPPED_UNUSUALLY, FAILED } outcome;

// Does one request of several and adds its answer.
static outcome call_one(gm_fmu_worker *w, gm_str request)
{
    size_t at = w->out.len;
    gm_fmu_put_u8(&w->out, 0);
    gm_fmu_put_u32(&w->out, 0);
    w->in        = (gm_fmu_reader){ (const uint8_t *)request.ptr, request.len, false };
    gm_fmu_op op = (gm_fmu_op)gm_fmu_take_u8(&w->in);
    int   status = op != GM_FMU_OP_LOAD && op != GM_FMU_OP_ROWS ? call(w, op) : gm_fmu_worker_refuse(w, "not among several");
    if (w->in.bad && w->broken[0] == '\0') gm_fmu_worker_refuse(w, "the request is cut short");
    if (w->out.failed) return FAILED;
    if (w->broken[0] != '\0') {
        w->out.len = at + 5;
        gm_buf_text(&w->out, w->broken);
        w->broken[0] = '\0';
        status       = GM_FMU_BROKEN;
    } else if (status < 0 || status >= GM_FMI_STATUS_COUNT) {
        status = GM_FMI_FATAL;
    }
    if (w->out.failed) return FAILED;
    w->out.ptr[at] = (uint8_t)status;
    gm_put_u32(w->out.ptr + at + 1, (uint32_t)(w->out.len - at - 5));
    if (op != GM_FMU_OP_DO_STEP) return status <= GM_FMI_WARNING ? WENT_ON : FAILED;
    if (status > GM_FMI_DISCARD) return FAILED;
    const uint8_t *step = w->out.ptr + at + 5;  // an event, a wish to end, an early return: the parent decides what is next
    return step[0] != 0 || step[1] != 0 || step[2] != 0 ? STEPPED_UNUSUALLY : WENT_ON;
}

static outcome call_all(gm_fmu_worker *w, gm_str requests)
{
    outcome       result = WENT_ON;
    gm_fmu_reader outer = w->in, walk = { (const uint8_t *)requests.ptr, requests.len, false };
    while (result != FAILED && walk.left > 0) {
        outcome one = call_one(w, gm_fmu_take_text(&walk));
        if (one != WENT_ON) result = one;
    }
    w->in = outer;
    return result;
}

// Each row is sent when it is done; the last one is the answer.
static int rows(gm_fmu_worker *w)
{
    gm_str   reads = gm_fmu_take_text(&w->in);
    uint32_t n     = gm_fmu_take_u32(&w->in);
    for (uint32_t row = 0; row < n && !w->in.bad; row++) {
        outcome result = call_all(w, gm_fmu_take_text(&w->in));
        if (result != FAILED && call_all(w, reads) == FAILED) result = FAILED;
        if (result != WENT_ON || row + 1 == n) break;
        if (gm_fmu_send(w->fd, GM_FMU_FRAME_ROW, w->out.ptr, w->out.len, NULL) != GM_OK) _exit(0);
        gm_buf_clear(&w->out);
        gm_fmu_put_u8(&w->out, 0);
    }
    return GM_FMI_OK;
}

void gm_fmu_worker_answer(gm_fmu_worker *w)
{
    gm_buf_clear(&w->out);
    gm_fmu_put_u8(&w->out, 0);  // the status goes here
    gm_fmu_op op = (gm_fmu_op)gm_fmu_take_u8(&w->in);
    w->broken[0] = '\0';
    int status   = op == GM_FMU_OP_ROWS ? rows(w) : call(w, op);
    if (w->in.bad && w->broken[0] == '\0') gm_fmu_worker_refuse(w, "the request is cut short");
    if (w->out.failed && w->broken[0] == '\0') gm_fmu_worker_refuse(w, "no memory for the answer");
    gm_status st;
    if (w->broken[0] != '\0') {
        st = gm_fmu_send(w->fd, GM_FMU_FRAME_BROKEN, w->broken, strlen(w->broken), NULL);
    } else {
        w->out.ptr[0] = status >= 0 && status < GM_FMI_STATUS_COUNT ? (uint8_t)status : (uint8_t)GM_FMI_FATAL;
        st            = gm_fmu_send(w->fd, GM_FMU_FRAME_ANSWER, w->out.ptr, w->out.len, NULL);
    }
    w->broken[0] = '\0';
    if (st != GM_OK) _exit(0);
}

int gm_fmu_worker_run(int fd)
{
    gm_fmu_worker *w = calloc(1, sizeof *w);
    if (w == NULL) return 1;
    void *now  = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, GM_FMU_WORKER_NOW_FD, 0);
    w->fd      = fd;
    w->now     = now != MAP_FAILED ? now : &w->nowhere;
    w->request = gm_buf_init(gm_alloc_system());
    w->out     = gm_buf_init(gm_alloc_system());
    w->frame   = gm_buf_init(gm_alloc_system());
    gm_fmu_frame frame;
    while (gm_fmu_receive(fd, gm_clock_system(), -1, &frame, &w->request, NULL) == GM_OK) {
        if (frame != GM_FMU_FRAME_REQUEST) continue;
        w->in = (gm_fmu_reader){ w->request.ptr, w->request.len, false };
        gm_fmu_worker_answer(w);
    }
    _exit(0);  // without the exit handlers of the FMU's library: nobody is left to hear from them
}
