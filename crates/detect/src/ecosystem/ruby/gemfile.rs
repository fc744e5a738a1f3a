//! `Gemfile`, line by line: it is a program, of which the lines are read that people write.

use crate::sources::Sources;

const QUOTES: [char; 2] = ['"', '\''];
/// What is only there for those who work on the program.
const OTHER_GROUPS: [&str; 2] = ["development", "test"];

/// The gems that a program lists.
#[derive(Debug, Default)]
pub(super) struct Gemfile {
    /// `Gemfile`, or `gems.rb`.
    pub file: &'static str,
    pub gems: Vec<Gem>,
    pub ruby: Option<RubyLine>,
    /// There may be gems that are not read here: a gemspec's, another file's.
    pub open: bool,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct Gem {
    pub name: String,
    /// `~> 7.0.4`
    pub requirements: Vec<String>,
    pub line: usize,
    /// It is there in production.
    pub production: bool,
    /// Whether it counts, or what is required, is decided by code.
    pub conditional: bool,
}

/// `ruby "3.2.1"`
#[derive(Debug)]
pub(super) struct RubyLine {
    pub requirements: Vec<String>,
    /// Another implementation: `jruby`.
    pub engine: Option<String>,
    pub line: usize,
}

/// What stands around a line.
#[derive(Clone, Copy)]
struct Block {
    production: bool,
    conditional: bool,
}

impl Gemfile {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let file = sources.first_of(&["Gemfile", "gems.rb"])?;
        let text = sources.text(file)?;
        let mut gemfile = Self::parse(&text);
        gemfile.file = if file == "gems.rb" {
            "gems.rb"
        } else {
            "Gemfile"
        };
        if gemfile.open {
            gemfile.gems.extend(gemspec(sources));
        }
        Some(gemfile)
    }

    pub fn parse(text: &str) -> Self {
        let mut gemfile = Self::default();
        let mut blocks: Vec<Block> = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let mut line = uncommented(line).trim().to_owned();
            while line.ends_with(',') {
                let Some((_, more)) = lines.next() else {
                    break;
                };
                line.push(' ');
                line.push_str(uncommented(more).trim());
            }
            gemfile.statement(&line, index + 1, &mut blocks);
        }
        gemfile
    }

    fn statement(&mut self, line: &str, number: usize, blocks: &mut Vec<Block>) {
        let end = line.find(|character: char| !(character == '_' || character.is_alphanumeric()));
        let (word, rest) = line.split_at(end.unwrap_or(line.len()));
        let around = blocks.last().copied().unwrap_or(Block {
            production: true,
            conditional: false,
        });
        match word {
            "gem" => match gem(rest, number, around) {
                Some(gem) => self.gems.push(gem),
                // Its name is computed.
                None => self.open = true,
            },
            "ruby" => {
                let engine = option(rest, "engine").and_then(|text| strings(text).pop());
                // `ENV["RUBY"] || "3.2.1"`, `ENV.fetch("RUBY", "3.2.1")`
                let given = rest.trim_start_matches([' ', '(']);
                let requirements = match given.strip_prefix("ENV") {
                    Some(behind) => behind
                        .split_once("||")
                        .or_else(|| behind.split_once(','))
                        .map(|(_, default)| strings(default))
                        .unwrap_or_default(),
                    None => strings(rest),
                };
                self.ruby = Some(RubyLine {
                    requirements,
                    engine: engine.filter(|engine| engine != "ruby"),
                    line: number,
                });
            }
            "gemspec" | "eval_gemfile" | "instance_eval" => self.open = true,
            "end" => {
                blocks.pop();
            }
            _ => {}
        }
        let opens = line.ends_with(" do") || line.contains(" do |");
        let decides = matches!(word, "if" | "unless" | "case" | "install_if");
        if opens || decides || matches!(word, "begin" | "def") {
            blocks.push(Block {
                production: around.production && (word != "group" || in_production(rest)),
                conditional: around.conditional || decides || word == "def",
            });
        }
    }

    pub fn get(&self, name: &str) -> Option<&Gem> {
        self.gems.iter().find(|gem| gem.name == name)
    }

    /// One that is there in production.
    pub fn production(&self, name: &str) -> Option<&Gem> {
        self.gems
            .iter()
            .find(|gem| gem.name == name && gem.production)
    }

    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }
}

fn gem(rest: &str, line: usize, around: Block) -> Option<Gem> {
    let mut written = strings(rest).into_iter();
    let name = written.next()?;
    let requirements: Vec<_> = written.collect();
    let groups = option(rest, "group").or_else(|| option(rest, "groups"));
    let decided = rest.contains(" if ") || rest.contains(" unless ");
    Some(Gem {
        production: around.production && groups.is_none_or(in_production),
        conditional: around.conditional
            || decided
            || requirements.iter().any(|text| text.contains("#{")),
        name,
        requirements,
        line,
    })
}

/// The texts that a call begins with.
fn strings(rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = rest.trim_start_matches(['(', ' ']);
    while let Some(quote) = rest.chars().next().filter(|first| QUOTES.contains(first)) {
        let inside = &rest[1..];
        let Some(end) = inside.find(quote) else {
            break;
        };
        found.push(inside[..end].to_owned());
        rest = inside[end + 1..].trim_start();
        let Some(next) = rest.strip_prefix(',') else {
            break;
        };
        rest = next.trim_start();
    }
    found
}

/// What follows an option's name, however it is written: `path: "x"`, `:path => "x"`.
fn option<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let ways = [
        format!(" {name}:"),
        format!(" :{name} =>"),
        format!(" :{name}=>"),
    ];
    ways.iter().find_map(|way| {
        let at = rest.find(way.as_str())?;
        rest.get(at + way.len()..).map(str::trim_start)
    })
}

/// Whether one of the groups that a text begins with is there in production.
fn in_production(text: &str) -> bool {
    let text = text.trim_start_matches(['(', ' ', '[']);
    let mut groups = text
        .split([',', ']', ')'])
        .map(|part| part.trim().trim_matches(['"', '\'', ':']))
        .map(|part| part.trim_end_matches(" do"))
        .take_while(|part| !part.is_empty() && !part.contains([' ', ':']))
        .peekable();
    groups.peek().is_none() || groups.any(|group| !OTHER_GROUPS.contains(&group))
}

/// The gems that the project's own gem needs.
fn gemspec(sources: &Sources<'_>) -> Vec<Gem> {
    let Some(text) = sources
        .name_ending(".gemspec")
        .and_then(|file| sources.text(file))
    else {
        return Vec::new();
    };
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let calls = [".add_dependency", ".add_runtime_dependency"];
            let rest = calls
                .iter()
                .find_map(|call| Some(uncommented(line).split_once(call)?.1))?;
            let mut written = strings(rest).into_iter();
            Some(Gem {
                name: written.next()?,
                requirements: written.collect(),
                line: index + 1,
                production: true,
                conditional: true,
            })
        })
        .collect()
}

/// A line up to its comment.
pub(super) fn uncommented(line: &str) -> &str {
    let mut quote = None;
    for (at, character) in line.char_indices() {
        match quote {
            Some(open) if open == character => quote = None,
            None if QUOTES.contains(&character) => quote = Some(character),
            None if character == '#' => return &line[..at],
            _ => {}
        }
    }
    line
}
