#include "engine/retention.h"

// How close a rule is: 0 does not fit. A path outweighs any interface; an interface the more, the more it extends itself.
static size_t closeness(const gm_retention_rule *rule, const gm_type *type, gm_str path)
{
    enum { NAMED = 1 << 20 };
    size_t close = 1;
    if (rule->path.len > 0 && !gm_str_eq(rule->path, path)) return 0;
    if (rule->path.len > 0) close += NAMED;
    if (rule->interface.len == 0) return close;
    if (type == NULL) return 0;
    if (gm_str_eq(rule->interface, type->id)) return close + 1 + type->base_count + 1;
    for (size_t i = 0; i < type->base_count; i++) {
        if (gm_str_eq(rule->interface, type->bases[i]->id)) return close + 1 + type->bases[i]->base_count;
    }
    return 0;
}

const gm_retention *gm_retention_find(const gm_retentions *retentions, const gm_type *type, gm_str path)
{
    const gm_retention *found   = &retentions->usual;
    size_t              closest = 0;
    for (size_t i = 0; i < retentions->rule_count; i++) {
        size_t close = closeness(&retentions->rules[i], type, path);
        if (close <= closest) continue;
        closest = close;
        found   = &retentions->rules[i].how;
    }
    return found;
}
