require "bundler/setup"
require "greeting"

puts Greeting.hello
