// Runs a fuzz target over the files of its corpus folder: every input that was ever found stays tested, also in
// builds without libFuzzer. Without files it still runs the empty input.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    int count = 1;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        FILE *file = fopen(path, "rb");
        if (file == NULL) return 1;
        static uint8_t bytes[1 << 20];
        size_t         size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        // An exact copy on the heap, so that the address sanitizer sees a read past the end.
        uint8_t *copy = malloc(size > 0 ? size : 1);
        if (copy == NULL) return 1;
        memcpy(copy, bytes, size);
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
        count++;
    }
    if (dir != NULL) closedir(dir);
    printf("%d inputs\n", count);
    return 0;
}
