// api/failure_now.h: what routes about failures share: the declarations, and what alarms and the thread say at the moment.
#ifndef GM_API_FAILURE_NOW_H
#define GM_API_FAILURE_NOW_H

#include "api/context.h"
#include "failure/failures.h"

// The request must live as long as it is used.
gm_failure_moment gm_api_failure_moment(gm_request *request);

// The twin that the parameter `twin` or the path names, and the parameter `horizon` (a length of time; a day). NULL declarations, no
// twin, no such twin or a horizon beyond a century: replied, and false.
GM_NODISCARD bool gm_api_failure_asked(gm_request *request, gm_str id, gm_twin *out_twin, gm_dur_ns *out_horizon);

#endif
