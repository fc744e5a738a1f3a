<?php

header('Content-Type: text/plain');
echo 'Hello from PHP ', PHP_MAJOR_VERSION, "\n";
