/*
 * toml.cc: see toml.h. The only C++ of the project: no C library for TOML is packaged. No exception leaves this file.
 * Version 3.3.0 of the library asserts where bytes from outside are wrong (parse_key; found by fuzzing);
 * for us that is an error like any other, so its asserts throw.
 */
namespace {
struct not_toml {};
[[noreturn]] void refuse() { throw not_toml(); }
} // namespace

#undef NDEBUG /* with it the library takes the same conditions for granted */
#define TOML_ASSERT(condition) ((condition) ? (void)0 : refuse())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "toml.h"

namespace {

struct walk {
    toml_item_fn *fn;
    void *context;
};

const char *name_of(const toml::node &node)
{
    switch (node.type()) {
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a section";
    default: return "a date or time";
    }
}

std::string shown(const toml::node &node)
{
    std::ostringstream out;
    node.visit([&](const auto &value) { out << value; });
    return out.str();
}

bool plain(const std::string &text) { return text.find('\0') == std::string::npos; }

/* Fills texts and returns true when every element is a string. */
bool strings_of(const toml::array &array, std::vector<const char *> &texts)
{
    for (const toml::node &element : array) {
        const auto *text = element.as_string();
        if (!text || !plain(text->get())) return false;
        texts.push_back(text->get().c_str());
    }
    return true;
}

void key_visit(const walk &to, toml_item item, const toml::node &node)
{
    std::vector<const char *> texts;
    std::string text;
    item.type = TOML_OTHER;
    item.type_name = name_of(node);
    item.line = node.source().begin.line;
    if (const auto *string = node.as_string()) {
        text = string->get();
        if (plain(text)) item.type = TOML_STRING;
    } else {
        text = shown(node);
    }
    if (const auto *integer = node.as_integer()) {
        item.type = TOML_INTEGER;
        item.integer = integer->get();
    }
    if (const auto *boolean = node.as_boolean()) {
        item.type = TOML_BOOLEAN;
        item.integer = boolean->get();
    }
    if (const auto *array = node.as_array()) {
        if (strings_of(*array, texts)) item.type = TOML_STRINGS;
    }
    item.text = text.c_str();
    item.items = texts.data();
    item.item_count = item.type == TOML_STRINGS ? texts.size() : 0;
    to.fn(to.context, &item);
}

void section_visit(const walk &to, const char *name, size_t index, bool repeated, const toml::table &table)
{
    toml_item item = {};
    item.section = name;
    item.index = index;
    item.repeated = repeated;
    item.type = TOML_SECTION;
    item.type_name = "a section";
    item.line = table.source().begin.line;
    item.text = "";
    to.fn(to.context, &item);
    for (const auto &[key, node] : table) {
        std::string text(key.str());
        item.key = text.c_str();
        key_visit(to, item, node);
    }
}

bool is_tables(const toml::array &array)
{
    if (array.empty()) return false;
    for (const toml::node &element : array)
        if (!element.is_table()) return false;
    return true;
}

void top_visit(const walk &to, const char *name, const toml::node &node)
{
    if (const auto *table = node.as_table()) return section_visit(to, name, 0, false, *table);
    if (const auto *array = node.as_array(); array && is_tables(*array)) {
        size_t index = 0;
        for (const toml::node &element : *array) section_visit(to, name, index++, true, *element.as_table());
        return;
    }
    toml_item item = {};
    item.section = "";
    item.key = name;
    key_visit(to, item, node);
}

/* The library does not say where it refused: the first line up to which it does. */
bool refuses(std::string_view text)
{
    try {
        (void)toml::parse(text);
    } catch (const toml::parse_error &) {
        return false; /* cut off midway */
    } catch (const not_toml &) {
        return true;
    }
    return false;
}

unsigned refused_line(std::string_view text)
{
    std::vector<size_t> ends;
    for (size_t i = 0; i < text.size(); i++)
        if (text[i] == '\n') ends.push_back(i + 1);
    ends.push_back(text.size());
    size_t low = 0, high = ends.size() - 1; /* the whole text is refused */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (refuses(text.substr(0, ends[middle]))) high = middle;
        else low = middle + 1;
    }
    return static_cast<unsigned>(low + 1);
}

} // namespace

bool toml_walk(const char *text, size_t size, toml_item_fn *fn, void *context, unsigned *line, char *message, size_t room)
{
    toml::table table;
    try {
        table = toml::parse(std::string_view(text, size));
    } catch (const toml::parse_error &error) {
        *line = error.source().begin.line;
        std::snprintf(message, room, "%.*s", static_cast<int>(error.description().size()), error.description().data());
        return false;
    } catch (const not_toml &) {
        *line = refused_line(std::string_view(text, size));
        std::snprintf(message, room, "a key is expected here, and something else is there");
        return false;
    }
    walk to = {fn, context};
    for (const auto &[key, node] : table) {
        std::string name(key.str());
        top_visit(to, name.c_str(), node);
    }
    return true;
}
