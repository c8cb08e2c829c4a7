# Writes OUT, the header with the list of the schema's commands: a COMMAND(PING, ping) for each field of Command.body in
# IN, which is batch.proto.
file(READ ${IN} schema)
string(REGEX MATCHALL "[A-Za-z]+Request [a-z_]+ =" fields "${schema}")
set(list)
foreach(field IN LISTS fields)
    string(REGEX REPLACE ".* ([a-z_]+) =" "\\1" name "${field}")
    string(TOUPPER ${name} number)
    string(APPEND list " \\\n    COMMAND(${number}, ${name})")
endforeach()
file(WRITE ${OUT} "/* Made from batch.proto: the field of Command.body, and the name of the row. */\n"
    "#define COMMANDS(COMMAND)${list}\n")
