#!/bin/sh
# What runs while the action has brought no program of its own.
echo 'This is a stub action. Replace it with custom logic.'
echo 'An action is an executable file at /action/exec: its input is the first argument and stdin, its result a JSON object'
echo 'on the last line of stdout. What it prints before that line is its log.'
echo '{"error":"This is a stub action. Replace it with custom logic."}'
