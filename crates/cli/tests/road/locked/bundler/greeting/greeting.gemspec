Gem::Specification.new do |gem|
  gem.name = "greeting"
  gem.version = "1.0.0"
  gem.summary = "Says hello, from C"
  gem.authors = ["Ergon"]
  gem.license = "Apache-2.0"
  gem.homepage = "https://example.com"
  gem.files = ["lib/greeting.rb", "ext/greeting/extconf.rb", "ext/greeting/greeting.c"]
  gem.extensions = ["ext/greeting/extconf.rb"]
end
