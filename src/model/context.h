// model/context.h: "@context": which version of DTDL and which extensions are in force, and what a term means then.
#ifndef GM_MODEL_CONTEXT_H
#define GM_MODEL_CONTEXT_H

#include "model/element.h"
#include "model/extension.h"

// The context inside `object`: the outer one with what its "@context" changes. outer is NULL at the top level.
// NULL: the context is not usable, and a finding says why (or memory was refused: set->failed).
const gm_context *gm_context_enter(gm_set *set, gm_document *document, const gm_json *object, const gm_context *outer);

// The identifier that a string stands for: itself when it is a DTMI that this version accepts as a reference, the
// definition of a term otherwise. ptr is NULL when it stands for nothing. Terms are expanded into the set's arena.
gm_str gm_context_expand(gm_set *set, const gm_context *context, gm_str text);

// The quantity vocabularies in force (quantity.h).
unsigned gm_context_quantities(const gm_context *context);

#endif
