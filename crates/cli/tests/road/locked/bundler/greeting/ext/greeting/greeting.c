#include <ruby.h>

static VALUE hello(VALUE self) {
    (void)self;
    return rb_str_new_cstr("Hello from " __FILE__);
}

void Init_greeting(void) {
    rb_define_singleton_method(rb_define_module("Greeting"), "hello", hello, 0);
}
