#!/usr/bin/env python3
# Prints utf8_table.h: ranges of zero-width and wide code points, from this Python's Unicode data.
# Run by hand when a new Unicode version should be taken: utf8_table.py > utf8_table.h
import unicodedata


def is_zero(cp):
    if 0x1160 <= cp <= 0x11FF or 0xD7B0 <= cp <= 0xD7FF:  # Hangul vowels and finals: drawn onto the lead
        return True
    if cp == 0xAD or 0x600 <= cp <= 0x605 or cp in (0x6DD, 0x70F, 0x8E2, 0x110BD, 0x110CD):
        return False  # the soft hyphen and the Arabic number signs take a column on terminals
    return unicodedata.category(chr(cp)) in ("Mn", "Me", "Cf") or cp in (0x2028, 0x2029)


def is_wide(cp):
    if 0x3400 <= cp <= 0x4DBF or 0x4E00 <= cp <= 0x9FFF or 0x20000 <= cp <= 0x3FFFD:
        return True
    return unicodedata.east_asian_width(chr(cp)) in ("W", "F")


def ranges(test):
    out, start = [], None
    for cp in range(0xA0, 0x110001):
        hit = cp < 0x110000 and not 0xD800 <= cp <= 0xDFFF and test(cp)
        if hit and start is None:
            start = cp
        elif not hit and start is not None:
            out.append((start, cp - 1))
            start = None
    return out


def show(name, rows):
    print(f"static const struct utf8_range {name}[] = {{")
    line = "\t"
    for first, last in rows:
        item = f"{{ 0x{first:x}, 0x{last:x} }},"
        if len(line) + len(item) > 88:
            print(line.rstrip())
            line = "\t"
        line += item + " "
    print(line.rstrip())
    print("};")


print(f"/* Made by utf8_table.py from Unicode {unicodedata.unidata_version}; do not edit. */")
print("/* clang-format off */")
print("#ifndef PGMEDIC_BASE_UTF8_TABLE_H\n#define PGMEDIC_BASE_UTF8_TABLE_H\n")
print("#include <stdint.h>\n")
print("struct utf8_range {\n\tuint32_t first, last;\n};\n")
show("zero_ranges", ranges(is_zero))
print()
show("wide_ranges", ranges(lambda cp: is_wide(cp) and not is_zero(cp)))
print("\n#endif")
