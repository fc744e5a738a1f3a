<?php

namespace Example\Greeting;

final class Words
{
    public const HELLO = "Hello from PHP\n";
}
