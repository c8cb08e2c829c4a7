/* A drawing is made in two passes over prompt and text: the first counts rows, the second writes
 * those that are shown. The cursor leaves a full row as terminals do it, with the next character:
 * so the row is wrapped, not ended, and a resized terminal can flow it again. wcwidth() is
 * X/Open's. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif

#include "draw.h"

#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The longest character in UTF-8. */
#define DRAW_CHARACTER_BYTES 4

struct draw_place {
    size_t row;
    size_t column; /* equal to the number of columns if the row is full */
};

struct draw {
    FILE *terminal;       /* borrowed: from the caller */
    char *text;           /* owned: what was written for the rows shown */
    size_t text_bytes;    /* 0: nothing is drawn */
    struct draw_place at; /* the cursor, counted from the first row shown */
    size_t last_row;      /* of the last row shown, likewise */
    bool at_end;          /* the cursor is behind the text, and its row is not full */
};

/* One pass. */
struct draw_pass {
    const struct draw_view *view;
    struct draw_place place;
    struct draw_place point;
    struct draw_place end; /* behind the last character that was written */
    size_t first_row;      /* the first row that is written */
    size_t last_row;
    char *out; /* owned; NULL: this pass only counts */
    size_t out_bytes;
    size_t room;
};

struct draw *draw_new(FILE *terminal) {
    struct draw *draw = memory_take(sizeof *draw);
    draw->terminal = terminal;
    return draw;
}

static void draw_wipe(struct draw *draw) {
    if (draw->text)
        memory_wipe(draw->text, draw->text_bytes);
    free(draw->text);
    draw->text = NULL;
    draw->text_bytes = 0;
}

void draw_free(struct draw *draw) {
    if (!draw)
        return;
    draw_wipe(draw);
    free(draw);
}

/* --- a pass --- */

static void pass_write(struct draw_pass *pass, const char *text, size_t bytes) {
    if (!pass->out || pass->place.row < pass->first_row || pass->place.row > pass->last_row)
        return;
    if (pass->room - pass->out_bytes < bytes) {
        char *larger = memory_take(2 * pass->room + bytes);
        memcpy(larger, pass->out, pass->out_bytes);
        memory_wipe(pass->out, pass->out_bytes);
        free(pass->out);
        pass->out = larger;
        pass->room = 2 * pass->room + bytes;
    }
    memcpy(pass->out + pass->out_bytes, text, bytes);
    pass->out_bytes += bytes;
}

static void pass_next_row(struct draw_pass *pass) {
    pass->place.row++;
    pass->place.column = 0;
}

/* Passes over a character of `cells` columns, which does not continue in the next row. */
static void pass_place(struct draw_pass *pass, const char *text, size_t bytes, size_t cells) {
    size_t left = pass->view->columns - pass->place.column;
    if (cells > left) {
        if (left > 0)
            pass_write(pass, "\033[K", 3);
        pass_next_row(pass);
    }
    pass_write(pass, text, bytes);
    pass->place.column += cells;
    if (pass->place.row <= pass->last_row)
        pass->end = pass->place;
}

static void pass_end_row(struct draw_pass *pass) {
    if (pass->place.column < pass->view->columns)
        pass_write(pass, "\033[K", 3);
    if (pass->place.row < pass->last_row)
        pass_write(pass, "\r\n", 2);
    pass_next_row(pass);
}

#define DRAW_JOINER 0x200D

/* Characters that terminals show in different ways, or that change the order of what is seen. */
static bool draw_is_left_out(wchar_t character) {
    return character == 0x200B || (character >= 0x200D && character <= 0x200F) ||
           (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2060 && character <= 0x206F) || character == 0x20E3 ||
           (character >= 0xFE00 && character <= 0xFE0F) || character == 0xFEFF ||
           (character >= 0xE0000 && character <= 0xE01EF);
}

/* Whether it changes the emoji before it: its form, or the tone of its skin. */
static bool draw_modifies(wchar_t character) {
    return (character >= 0xFE00 && character <= 0xFE0F) ||
           (character >= 0x1F3FB && character <= 0x1F3FF);
}

static void pass_control(struct draw_pass *pass, wchar_t character) {
    char shown[2] = {'^', character == 0x7F ? '?' : (char)('@' + (character & 0x1F))};
    for (size_t i = 0; i < 2; i++)
        pass_place(pass, &shown[i], 1, 1);
}

static void pass_tab(struct draw_pass *pass) {
    do {
        pass_place(pass, " ", 1, 1);
    } while (pass->place.column % 8 != 0 && pass->place.column < pass->view->columns);
}

static void pass_character(struct draw_pass *pass, wchar_t character, const char *text,
                           size_t bytes) {
    int width = wcwidth(character);
    if (character == L'\n')
        pass_end_row(pass);
    else if (character == L'\t')
        pass_tab(pass);
    else if (character < 0x20 || character == 0x7F)
        pass_control(pass, character);
    else if (width < 0)
        pass_place(pass, "?", 1, 1);
    else if (!draw_is_left_out(character))
        pass_place(pass, text, bytes, (size_t)width);
}

/* Reads the next character; returns how many bytes it has. It looks no further than that, because
 * the text may be long. */
static size_t draw_decode(const char *text, wchar_t *character) {
    mbstate_t state = {0};
    size_t bytes = mbrtowc(character, text, strnlen(text, DRAW_CHARACTER_BYTES), &state);
    if (bytes != 0 && bytes != (size_t)-1 && bytes != (size_t)-2)
        return bytes;
    *character = (wchar_t)0xFDD0; /* no valid character: shown as a question mark */
    return 1;
}

/* How many bytes of `text` belong to the emoji before it; 0: none. */
static size_t draw_joined(const char *text, wchar_t *character) {
    size_t bytes = *text == '\0' ? 0 : draw_decode(text, character);
    if (bytes == 0 || draw_modifies(*character))
        return bytes;
    if (*character != DRAW_JOINER || text[bytes] == '\0')
        return 0;
    bytes += draw_decode(text + bytes, character);
    return wcwidth(*character) == 2 || (*character >= 0x2600 && *character <= 0x27BF) ? bytes : 0;
}

/* How many bytes at the start of `text` make one emoji with the wide character there; *cells
 * becomes the sum of their widths. */
static size_t draw_join(const char *text, size_t first_bytes, size_t *cells) {
    wchar_t character;
    size_t bytes = first_bytes;
    *cells = 2;
    for (size_t more; (more = draw_joined(text + bytes, &character)) > 0; bytes += more)
        *cells += wcwidth(character) > 0 ? (size_t)wcwidth(character) : 0;
    return bytes;
}

/* Passes over several characters that many terminals draw as one, two cells wide, and others one
 * after the other. In both cases the cursor is set behind the second cell, and what is there is
 * cleared. */
static void pass_joined(struct draw_pass *pass, const char *text, size_t bytes, size_t first_bytes,
                        size_t cells) {
    char back[40];
    bool fits = pass->place.column + cells < pass->view->columns;
    pass_place(pass, text, fits ? bytes : first_bytes, 2);
    snprintf(back, sizeof back, "\033[%zuG\033[K", pass->place.column + 1);
    if (fits)
        pass_write(pass, back, strlen(back));
}

/* Passes over what is seen as one character; returns how many bytes it has. */
static size_t pass_next(struct draw_pass *pass, const char *text) {
    wchar_t character;
    size_t cells = 0;
    size_t first_bytes = draw_decode(text, &character);
    size_t bytes = first_bytes;
    if (wcwidth(character) == 2)
        bytes = draw_join(text, first_bytes, &cells);
    if (bytes == first_bytes)
        pass_character(pass, character, text, bytes);
    else
        pass_joined(pass, text, bytes, first_bytes, cells);
    return bytes;
}

static void pass_prompt(struct draw_pass *pass) {
    bool invisible = false;
    size_t bytes;
    for (const char *text = pass->view->prompt; *text != '\0'; text += bytes) {
        wchar_t character;
        bytes = draw_decode(text, &character);
        if (character == L'\001' || character == L'\002')
            invisible = character == L'\001';
        else if (invisible)
            pass_write(pass, text, bytes);
        else
            pass_character(pass, character, text, bytes);
    }
}

static void pass_text(struct draw_pass *pass) {
    const char *start = pass->view->text;
    size_t bytes;
    pass->point = pass->place;
    for (const char *text = start; *text != '\0'; text += bytes) {
        bytes = pass_next(pass, text);
        if ((size_t)(text - start) + bytes <= pass->view->point)
            pass->point = pass->place;
    }
}

static void pass_run(struct draw_pass *pass) {
    pass->place = (struct draw_place){0, 0};
    pass->end = pass->place;
    pass_prompt(pass);
    pass_text(pass);
}

/* The cursor is on a character, so it is never behind a full row. */
static void draw_normalize(struct draw_place *place, size_t columns) {
    if (place->column < columns)
        return;
    place->row++;
    place->column = 0;
}

/* --- the terminal --- */

static void draw_move_up(struct draw *draw, size_t rows) {
    if (rows > 0)
        fprintf(draw->terminal, "\033[%zuA", rows);
    fputc('\r', draw->terminal);
}

/* Chooses the rows of the text that are shown: around the cursor, if the screen is too low for
 * all. */
static void draw_choose_rows(struct draw_pass *pass) {
    struct draw_place end = pass->place;
    struct draw_place point = pass->point;
    size_t rows = pass->view->rows;
    draw_normalize(&end, pass->view->columns);
    draw_normalize(&point, pass->view->columns);
    pass->first_row = point.row >= rows ? point.row - rows + 1 : 0;
    pass->last_row = end.row < pass->first_row + rows ? end.row : pass->first_row + rows - 1;
}

static void draw_take(struct draw *draw, struct draw_pass *pass) {
    draw_wipe(draw);
    draw->text = pass->out;
    draw->text_bytes = pass->out_bytes;
    draw->at = pass->point;
    draw_normalize(&draw->at, pass->view->columns);
    draw->at.row -= pass->first_row;
    draw->last_row = pass->last_row - pass->first_row;
}

/* Whether the new drawing only continues the old one. */
static bool draw_grows(const struct draw *draw, const struct draw_pass *pass, bool at_end) {
    return draw->text_bytes > 0 && draw->at_end && at_end && pass->first_row == 0 &&
           pass->out_bytes >= draw->text_bytes &&
           memcmp(pass->out, draw->text, draw->text_bytes) == 0;
}

/* Ends the drawing behind the last character: leaves a full row, and clears what was there before.
 * In the last cell of the screen there would be nothing to clear but that character. */
static void draw_end(struct draw *draw, const struct draw_pass *pass) {
    bool full = pass->end.column == pass->view->columns && pass->place.row == pass->end.row;
    if (full && pass->end.row < pass->last_row)
        fputs(" \r", draw->terminal);
    if (pass->end.column < pass->view->columns || pass->end.row < pass->last_row)
        fputs("\033[J", draw->terminal);
}

static void draw_place_cursor(struct draw *draw) {
    draw_move_up(draw, draw->last_row - draw->at.row);
    if (draw->at.column > 0)
        fprintf(draw->terminal, "\033[%zuC", draw->at.column);
}

void draw_show(struct draw *draw, const struct draw_view *asked) {
    struct draw_view view = *asked;
    view.columns = view.columns < 2 ? 2 : view.columns;
    view.rows = view.rows < 1 ? 1 : view.rows;
    struct draw_pass pass = {.view = &view};
    pass_run(&pass);
    draw_choose_rows(&pass);
    pass.room = strlen(view.prompt) + strlen(view.text) + 64;
    pass.out = memory_take(pass.room);
    pass_run(&pass);
    bool at_end = view.text[view.point] == '\0' && pass.place.column < view.columns;
    size_t kept = draw_grows(draw, &pass, at_end) ? draw->text_bytes : 0;
    if (kept == 0 && draw->text_bytes > 0)
        draw_move_up(draw, draw->at.row);
    fwrite(pass.out + kept, 1, pass.out_bytes - kept, draw->terminal);
    draw_take(draw, &pass);
    if (kept == 0) {
        draw_end(draw, &pass);
        draw_place_cursor(draw);
    }
    draw->at_end = at_end;
    fflush(draw->terminal);
}

/* Does not clear from the screen's very first cell, because some terminals then keep a copy. */
static void draw_erase(struct draw *draw, size_t rows_above) {
    draw_move_up(draw, rows_above);
    fputs(" \033[J\r", draw->terminal);
    fflush(draw->terminal);
    draw_wipe(draw);
}

void draw_hide(struct draw *draw) {
    if (draw->text_bytes > 0)
        draw_erase(draw, draw->at.row);
}

void draw_leave(struct draw *draw) {
    if (draw->text_bytes == 0)
        return;
    for (size_t row = draw->at.row; row < draw->last_row; row++)
        fputc('\n', draw->terminal);
    fputs("\r\n", draw->terminal);
    draw_wipe(draw);
}

void draw_forget(struct draw *draw) {
    draw_wipe(draw);
}

void draw_hide_resized(struct draw *draw, const struct draw_view *view) {
    struct draw_pass pass = {.view = view};
    if (draw->text_bytes == 0)
        return;
    pass_run(&pass);
    draw_normalize(&pass.point, view->columns);
    draw_erase(draw, pass.point.row < view->rows ? pass.point.row : view->rows - 1);
}
