#define HAND(name) hand_##name##_native
#include "physics_hand_body.h"
