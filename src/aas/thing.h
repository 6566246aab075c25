// aas/thing.h: a twin, a part or an interface, with what is known of it, as an Asset Administration Shell sees it.
//
//   gm_aas_open_thing(&world, arena, GM_STR("pump7"), &thing, &err);
//   gm_aas_write_shell(&world, &thing, out);
//   for each kind in thing.kinds: gm_aas_write_submodel(&world, &thing, kind, out);
//
// A view: nothing is stored for it. Texts are valid until the next change of state or thread.
//
// What came from elsewhere and has no place in gemel's own words is kept as it came, as facts with keys of their own:
//   KEY_SHELL      of the twin: the shell, as JSON                     KEY_SUBMODELS  of the twin: a part: the thread of a submodel
//   KEY_SUBMODEL   of gm_aas_kept_id("submodel"): it, JSON or document KEY_FILE       of the same: a file that it names
//   KEY_CONCEPT    of gm_aas_kept_id("concept"): a concept description
//   KEY_ADDED      of the twin, and the name of a kind behind it: what was added to that submodel (aas/added.h)
//   KEY_GONE       of a twin or part: true when its shell was deleted; what was said of it stays
#ifndef GM_AAS_THING_H
#define GM_AAS_THING_H

#include "aas/ids.h"
#include "state/fence.h"
#include "thread/thread.h"

#define GM_AAS_KEYS          "aas/"
#define GM_AAS_KEY_SHELL     "aas/shell"
#define GM_AAS_KEY_SUBMODELS "aas/submodels/"
#define GM_AAS_KEY_SUBMODEL  "aas/submodel"
#define GM_AAS_KEY_FILE      "aas/file"
#define GM_AAS_KEY_CONCEPT   "aas/concept"
#define GM_AAS_KEY_ADDED     "aas/added/"
#define GM_AAS_KEY_GONE      "aas/gone"

typedef struct gm_aas_world {
    const gm_model  *model;
    const gm_state  *state;
    const gm_thread *thread;
    gm_time_ns       valid, known;                  // of facts
    bool           (*sees)(void *context, gm_str id);  // may the reader know of this twin or part? NULL: of all
    void            *context;
} gm_aas_world;

typedef struct gm_aas_thing {
    gm_str         id;          // of the twin or part; an interface's DTMI
    gm_twin        twin;        // not ok: a part that is known by its facts alone, or an interface
    const gm_type *type;        // of the twin, or the interface itself; NULL: a part
    bool           is_type;
    const gm_fact *facts;       // that hold, by key and phase; without those of GM_AAS_KEYS
    const gm_fact *kept;        // kept submodels, in their order: value.text is the thread, value.position the name of the kind, if it is one
    const gm_fact *inside;      // what is installed in it
    gm_str         shell;       // kept JSON, or empty
    gm_str         added[GM_AAS_KIND_COUNT];  // JSON, or empty
    bool           gone;        // it has no shell: that was deleted, and there is no twin
    size_t         fact_count, kept_count, inside_count;
    unsigned       kinds;       // 1 << gm_aas_kind: which submodels it has that gemel makes
} gm_aas_thing;

// GM_NOTFOUND: there is none (or not for this reader). GM_NOMEM. Cost: the facts that hold of it. The id must outlive *out.
GM_NODISCARD gm_status gm_aas_open_thing(const gm_aas_world *world, gm_arena *arena, gm_str id, gm_aas_thing *out, gm_error *err);
void gm_aas_open_type(const gm_type *type, gm_aas_thing *out);

// The fact of that key that says it best: as it was built, then as it was designed, then any other. NULL: none.
const gm_fact *gm_aas_fact(const gm_aas_thing *thing, gm_str key);
bool gm_aas_has_facts(const gm_aas_world *world, gm_str id);  // said of it, not only of others with it
bool gm_aas_sees(const gm_aas_world *world, gm_str id);
// The shell id, which is the kept shell's own where there is one.
void gm_aas_write_shell_id(const gm_aas_thing *thing, gm_buf *out);
gm_str gm_aas_shell_id_short(const gm_aas_thing *thing, char text[GM_AAS_ID_SHORT_MAX + 1]);

// A whole object, appended.
void gm_aas_write_shell(const gm_aas_world *world, const gm_aas_thing *thing, gm_buf *out);
void gm_aas_write_asset(const gm_aas_thing *thing, gm_buf *out);                  // AssetInformation
void gm_aas_write_submodel_refs(const gm_aas_thing *thing, gm_buf *out);          // a list; "[]" when there are none
void gm_aas_write_submodel(const gm_aas_world *world, const gm_aas_thing *thing, gm_aas_kind kind, gm_buf *out);
void gm_aas_write_made(const gm_aas_world *world, const gm_aas_thing *thing, gm_aas_kind kind, gm_buf *out);  // without what was added
void gm_aas_write_concept(const gm_type *type, uint32_t column, gm_buf *out);     // ConceptDescription

#endif
