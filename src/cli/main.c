#include <stdio.h>

int main(void)
{
    puts("gemel 0.1.0");
    return 0;
}
