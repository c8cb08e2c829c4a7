-- Version 5: titles and file names have one form (normal form C, no blanks at the ends), and what looks
-- alike is found. look: the skeleton that titles which look alike share; folded: without regard to
-- case. title_form, title_look and title_fold are functions of the program that migrates.
ALTER TABLE thread ADD COLUMN look TEXT NOT NULL DEFAULT '';
ALTER TABLE thread ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN look TEXT NOT NULL DEFAULT '';
ALTER TABLE file ADD COLUMN folded TEXT NOT NULL DEFAULT '';

-- Of two that get the same form, the second one gets its number as well.
UPDATE OR IGNORE thread SET title = title_form(title) WHERE title <> title_form(title);
UPDATE thread SET title = substr(title_form(title), 1, 100) || ' (' || stream || ')' WHERE title <> title_form(title);
UPDATE OR IGNORE file SET name = title_form(name) WHERE name <> title_form(name);
UPDATE file SET name = substr(title_form(name), 1, 100) || ' (' || file || ')' WHERE name <> title_form(name);

UPDATE thread SET look = title_look(title), folded = title_fold(title);
UPDATE file SET look = title_look(name), folded = title_fold(name);
CREATE INDEX thread_look ON thread (look, folded);
CREATE INDEX file_look ON file (stream, look, folded);
