/* The table of strings: open addressing, the strings one behind the other in memory. */
#include "_strings.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 64 /* strings that are looked up together, so that the processor waits for memory once, not for each */

/* Make room for so many items at a pointer; it is doubled at least, so that growing costs little. */
static int reserve(void *memory, size_t *room, size_t wanted, size_t size) {
    if (wanted <= *room) return 1;
    size_t items = 2 * *room > wanted ? 2 * *room : wanted;
    void *present;
    memcpy(&present, memory, sizeof present); /* of whatever type */
    void *larger = realloc(present, items * size);
    if (!larger) return 0;
    memcpy(memory, &larger, sizeof larger);
    *room = items;
    return 1;
}

static uint64_t eight(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint64_t four(const char *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Both halves of the product: who does not know the hash cannot say how another word changes them. */
static uint64_t mix(uint64_t hash, uint64_t word) {
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15u; /* bits of the golden ratio */
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded, so that it is hard to choose hashtags that collide; the last word overlaps those before it. */
static uint32_t hash_of(const char *bytes, size_t size, uint64_t seed) {
    uint64_t hash = mix(seed, size);
    if (size > 8) {
        for (size_t i = 0; i + 8 < size; i += 8) hash = mix(hash, eight(bytes + i));
        hash = mix(hash, eight(bytes + size - 8));
    } else if (size >= 4) {
        hash = mix(hash, four(bytes) << 32 | four(bytes + size - 4));
    } else {
        for (size_t i = 0; i < size; i++) hash = mix(hash, (unsigned char)bytes[i]);
    }
    return (uint32_t)mix(hash, seed);
}

static int are_equal(const char *one, const char *other, size_t size) {
    if (size < 8) return !memcmp(one, other, size);
    for (size_t i = 0; i + 8 < size; i += 8)
        if (eight(one + i) != eight(other + i)) return 0;
    return eight(one + size - 8) == eight(other + size - 8);
}

static Slot *slot_at(const Strings *strings, size_t place) { return &strings->slots[place & (strings->capacity - 1)]; }

/* The slot of a string, or the free one where it belongs. */
static Slot *slot_of(const Strings *strings, const char *bytes, size_t size, uint32_t hash) {
    for (size_t place = hash;; place++) {
        Slot *slot = slot_at(strings, place);
        if (!slot->number) return slot;
        if (slot->hash != hash) continue;
        size_t start = strings->ends[slot->number - 1];
        if (strings->ends[slot->number] - start == size && are_equal(strings->bytes + start, bytes, size)) return slot;
    }
}

/* Make room for so many strings more, with a third of the slots free. */
static Outcome grow(Strings *strings, size_t more) {
    size_t count = strings->count + more, capacity = strings->capacity;
    if (count > INT32_MAX) return TOO_MANY;
    if (!reserve(&strings->ends, &strings->ends_room, count + 1, sizeof *strings->ends)) return NO_MEMORY;
    while (3 * count > 2 * capacity) capacity *= 2;
    if (capacity == strings->capacity) return DONE;
    Strings larger = {.capacity = capacity, .slots = calloc(capacity, sizeof(Slot))};
    if (!larger.slots) return NO_MEMORY;
    for (Slot *slot = strings->slots; slot < strings->slots + strings->capacity; slot++) {
        size_t place = slot->hash;
        if (!slot->number) continue;
        while (slot_at(&larger, place)->number) place++;
        *slot_at(&larger, place) = *slot;
    }
    free(strings->slots);
    strings->slots = larger.slots;
    strings->capacity = capacity;
    return DONE;
}

static int append(Strings *strings, const char *bytes, size_t size) {
    size_t start = strings->ends[strings->count];
    if (!reserve(&strings->bytes, &strings->bytes_room, start + size, 1)) return 0;
    memcpy(strings->bytes + start, bytes, size);
    strings->ends[++strings->count] = start + size;
    return 1;
}

/* Have the processor fetch what look-ups read one behind the other. */
static void fetch(const Strings *strings, const uint32_t *hashes, size_t count) {
    size_t numbers[BLOCK];
    for (size_t i = 0; i < count; i++) __builtin_prefetch(slot_at(strings, hashes[i]));
    for (size_t i = 0; i < count; i++) {
        uint32_t number = slot_at(strings, hashes[i])->number;
        numbers[i] = number ? number - 1 : 0;
        __builtin_prefetch(&strings->ends[numbers[i]]);
    }
    for (size_t i = 0; i < count; i++) __builtin_prefetch(strings->bytes + strings->ends[numbers[i]]);
}

static Outcome look_block_up(Strings *strings, const int32_t *offsets, const char *bytes, size_t count, int adding,
                             int32_t *found) {
    uint32_t hashes[BLOCK];
    for (size_t i = 0; i < count; i++)
        hashes[i] = hash_of(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), strings->seed);
    fetch(strings, hashes, count);
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        Slot *slot = slot_of(strings, bytes + offsets[i], size, hashes[i]);
        if (!slot->number && adding) {
            if (!append(strings, bytes + offsets[i], size)) return NO_MEMORY;
            *slot = (Slot){hashes[i], (uint32_t)strings->count};
        }
        found[i] = (int32_t)slot->number - 1;
    }
    return DONE;
}

int offsets_ascend(const int32_t *offsets, size_t count, size_t end) {
    for (size_t i = 0; i < count; i++)
        if (offsets[i] > offsets[i + 1]) return 0;
    return offsets[0] >= 0 && (size_t)offsets[count] <= end;
}

Outcome strings_look_up(Strings *strings, const int32_t *offsets, const char *bytes, size_t size, size_t count,
                        int adding, int32_t *found) {
    Outcome outcome = offsets_ascend(offsets, count, size) ? DONE : BAD_OFFSETS;
    for (size_t done = 0; done < count && outcome == DONE; done += BLOCK) {
        size_t some = count - done < BLOCK ? count - done : BLOCK;
        if (adding) outcome = grow(strings, some);
        if (outcome == DONE) outcome = look_block_up(strings, offsets + done, bytes, some, adding, found + done);
    }
    return outcome;
}

Outcome strings_open(Strings *strings, uint64_t seed) {
    strings->seed = seed;
    strings->capacity = 2 * BLOCK;
    strings->slots = calloc(strings->capacity, sizeof *strings->slots);
    if (!strings->slots || !reserve(&strings->bytes, &strings->bytes_room, 1, 1)) return NO_MEMORY;
    Outcome outcome = grow(strings, 1);
    if (outcome == DONE) strings->ends[0] = 0;
    return outcome;
}

void strings_close(Strings *strings) {
    free(strings->slots);
    free(strings->bytes);
    free(strings->ends);
}

Outcome strings_measure(const Strings *strings, const int32_t *numbers, size_t count, size_t *size) {
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] < 0 || (size_t)numbers[i] >= strings->count) return UNKNOWN;
        *size += strings->ends[numbers[i] + 1] - strings->ends[numbers[i]];
    }
    return *size > INT32_MAX ? TOO_MANY : DONE;
}

void strings_copy(const Strings *strings, const int32_t *numbers, size_t count, int32_t *offsets, char *bytes) {
    offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t start = strings->ends[numbers[i]], size = strings->ends[numbers[i] + 1] - start;
        memcpy(bytes + offsets[i], strings->bytes + start, size);
        offsets[i + 1] = offsets[i] + (int32_t)size;
    }
}
