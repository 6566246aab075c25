// tests/support/api_plant.h: an engine and its API on a folder of its own, and a client that talks to them in one
// thread.
#ifndef GM_TESTS_API_PLANT_H
#define GM_TESTS_API_PLANT_H

#include "api/api.h"
#include "support/http_client.h"
#include "support/support.h"

typedef struct api_plant {
    char             dir[256];
    const gm_alloc  *alloc;
    gm_loop         *loop;
    gm_engine       *engine;
    gm_dead_letters *letters;
    gm_api          *api;
    bool             whole;    // set by a test whose alloc is everybody's, not the API's alone
    bool             controls; // set by a test that wants alarms, commands and rules: before api_plant_start
    struct gm_control *control;
    gm_buf           sent;     // what control published, a line "TOPIC PAYLOAD" each
    struct gm_pool  *pool;     // set by a test that gives the API one; ended before the API is
    test_http_client   client;
    gm_error         err;
    void (*change)(gm_api_options *options);
} api_plant;

// options.limits etc. may be changed by `change` before the API is made; it may be NULL.
void api_plant_start(api_plant *plant, void (*change)(gm_api_options *options));
void api_plant_stop(api_plant *plant);     // and removes the folder
void api_plant_restart(api_plant *plant);  // the same folder, with the same options
void api_plant_checkpoint(api_plant *plant);  // what has happened so far is read from a checkpoint at the next start
void api_plant_turn(void *plant);          // one turn of the loop

// A conversation: each step is asked, and its answer compared. `expect` is a text that the answer's head or body holds
// ("!text": must not hold); NULL: anything.
typedef struct api_step {
    const char *method, *target, *headers, *body;
    unsigned    status;
    const char *expect;
} api_step;
void api_plant_talk(api_plant *plant, const api_step *steps, size_t count);
#define API_TALK(plant, steps) api_plant_talk((plant), (steps), sizeof(steps) / sizeof((steps)[0]))

#define V "?api-version=2023-10-31"

// Models, twins and relationships that several tests use: a building with a room, a pump with a motor.
void api_plant_fill(api_plant *plant);

#endif
