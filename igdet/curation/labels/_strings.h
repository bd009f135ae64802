/* Numbers for strings, in the order in which they come; they depend on nothing else, whatever the hashes are. */
#ifndef IGDET_STRINGS_H
#define IGDET_STRINGS_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t hash;   /* compared before the bytes */
    uint32_t number; /* of the string, and 1; 0: the slot is free */
} Slot;

typedef struct {
    Slot *slots;     /* open addressing, linear probing */
    size_t capacity; /* of them, a power of two */
    char *bytes;     /* of all strings, one behind the other */
    size_t *ends;    /* of the strings in `bytes`, behind a 0 */
    size_t bytes_room, ends_room;
    size_t count;  /* of strings */
    uint64_t seed; /* of the hashes */
} Strings;

typedef enum { DONE, NO_MEMORY, TOO_MANY, BAD_OFFSETS, UNKNOWN } Outcome;

/* Begin without strings; `strings` is zero. */
Outcome strings_open(Strings *strings, uint64_t seed);

void strings_close(Strings *strings);

/* Write the numbers of strings, whose offsets lie in `size` bytes; new ones get the next numbers, or -1 without
 * `adding`, and then `strings` stays as it is. After an error some may have been added. */
Outcome strings_look_up(Strings *strings, const int32_t *offsets, const char *bytes, size_t size, size_t count,
                        int adding, int32_t *found);

/* Say how many bytes the strings of numbers have. */
Outcome strings_measure(const Strings *strings, const int32_t *numbers, size_t count, size_t *size);

/* Copy the strings of numbers, which were measured. */
void strings_copy(const Strings *strings, const int32_t *numbers, size_t count, int32_t *offsets, char *bytes);

/* Whether offsets ascend, from 0 or more to `end` at most. */
int offsets_ascend(const int32_t *offsets, size_t count, size_t end);

#endif
