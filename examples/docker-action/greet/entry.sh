#!/bin/sh
echo "hello $1, in an image with: $(cat /listed | tr '\n' ' ')"
wget -q -O - http://store:8080/words
echo "hello $1" > greeting.txt
echo "said=hello $1" >> "$GITHUB_OUTPUT"
