//! What a server is told where to listen: `Bun.serve({ fetch, port: 3000 })`.

use super::source::COMMENT;
use crate::ecosystem::loopback::{self, Listening};
use crate::ecosystem::{Port, Report};
use crate::scan::{Scan, port as port_number};
use crate::sources::{Sources, Text};

/// How much of an object is read.
const MOST: usize = 8_192;

const LISTENING: Listening = Listening {
    comments: COMMENT,
    calls: &[".listen(", "Bun.serve(", "Deno.serve(", " serve("],
    by_url: false,
};

/// Asks who is to reach a server that listens on 127.0.0.1, as Fastify does where nothing says otherwise.
pub(super) fn ask(sources: &Sources<'_>, texts: &[Text<'_>], kind: &str, report: &mut Report) {
    let before = report.questions.len();
    loopback::ask(sources, texts, &LISTENING, report);
    if report.questions.len() > before {
        return;
    }
    let silent = texts.iter().find_map(|(path, text)| {
        let is_fastify = kind == "fastify" || text.contains("FastifyAdapter");
        if !is_fastify {
            return None;
        }
        Scan::behind(text, ".listen(", COMMENT).find_map(|scan| {
            let arguments = scan.rest().split([';', ')']).next().unwrap_or("");
            let arguments = arguments.split("=>").next().unwrap_or(arguments);
            let tells_port = arguments.to_ascii_lowercase().contains("port")
                || arguments.starts_with(|first: char| first.is_ascii_digit());
            let tells_host = ["host", "HOST", "address", "'", "\"", "...", "path"]
                .iter()
                .any(|word| arguments.contains(word));
            (tells_port && !tells_host).then(|| format!("{path}:{}", scan.line()))
        })
    });
    if let Some(from) = silent {
        loopback::ask_of(sources, &from, report);
    }
}

/// The port that a text's own servers are told.
pub(super) fn port((path, text): &Text<'_>) -> Option<Port> {
    let listen = Scan::behind(text, "listen", COMMENT).find_map(|mut scan| {
        // `listen: { port: 3000 }` is how Apollo's own server is told.
        let called = scan.eat("(");
        if !called && !scan.eat(":") {
            return None;
        }
        if scan.rest().trim_start().starts_with('{') {
            return Fields::of(scan)?.port(text);
        }
        called.then_some(())?;
        let line = scan.line();
        match scan.number() {
            Some(number) => Some((port_number(number)?, line)),
            None => named(text, scan.word()?),
        }
    });
    // `server.bindAsync("0.0.0.0:50051", …)` of gRPC.
    let bound = || {
        Scan::behind(text, ".bindAsync", COMMENT).find_map(|mut scan| {
            scan.eat("(").then_some(())?;
            let line = scan.line();
            let (_, port) = scan.string(&['\'', '"', '`'])?.rsplit_once(':')?;
            Some((port_number(port)?, line))
        })
    };
    let told = listen
        .or_else(bound)
        .or_else(|| servers(text).find_map(|fields| fields.port(text)));
    told.map(|(number, line)| Port::written(number, format!("{path}:{line}")))
}

/// Whether a text has a server that Bun starts, which listens where others usually do.
pub(super) fn serves_by_bun(text: &str) -> bool {
    text.contains("Bun.serve(") || servers(text).next().is_some()
}

/// The objects that tell a server what it is: `Bun.serve({…})`, `serve({ fetch })`, `export default { fetch }`.
fn servers(text: &str) -> impl Iterator<Item = Fields<'_>> {
    let called = Scan::behind(text, "serve", COMMENT).filter_map(|mut scan| {
        let by_runtime = ["Bun.serve", "Deno.serve"]
            .iter()
            .any(|name| scan.line_before().ends_with(name));
        // `Bun.serve<Data>({…})`
        if scan.eat("<") {
            scan.word()?;
            scan.eat(">").then_some(())?;
        }
        scan.eat("(").then_some(())?;
        Fields::of(scan).filter(|fields| by_runtime || fields.has("fetch"))
    });
    let exported = Scan::behind(text, "export default", COMMENT)
        .filter_map(Fields::of)
        .filter(|fields| fields.has("fetch"));
    called.chain(exported)
}

/// The names of an object, and what stands behind each.
struct Fields<'t> {
    names: Vec<(&'t str, Scan<'t>)>,
}

impl<'t> Fields<'t> {
    /// The object that begins at a place.
    fn of(mut scan: Scan<'t>) -> Option<Self> {
        scan.eat("{").then_some(())?;
        let begin = scan.rest().len();
        let mut names = Vec::new();
        let mut depth = 1_u32;
        // A name may stand only at the beginning and behind a comma.
        let mut may_be_name = true;
        while depth > 0 && begin - scan.rest().len() < MOST {
            scan.skip_space();
            let rest = scan.rest();
            let first = rest.chars().next()?;
            if rest.starts_with("//") || rest.starts_with("/*") {
                let end = if rest.starts_with("//") { "\n" } else { "*/" };
                let (comment, _) = rest.split_once(end)?;
                scan.skip(comment.len() + end.len());
                continue;
            }
            if depth == 1
                && may_be_name
                && let Some(name) = scan.word()
            {
                names.push((name, scan));
                may_be_name = false;
                continue;
            }
            match first {
                '{' | '[' | '(' => depth += 1,
                '}' | ']' | ')' => depth -= 1,
                '"' | '\'' | '`' if scan.string(&[first]).is_some() => continue,
                _ => {}
            }
            may_be_name = first == ',' && depth == 1;
            scan.skip(first.len_utf8());
        }
        Some(Self { names })
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|(field, _)| *field == name)
    }

    /// The port and its line.
    fn port(&self, text: &str) -> Option<(u16, usize)> {
        let &(_, mut scan) = self.names.iter().find(|(field, _)| *field == "port")?;
        if !scan.eat(":") {
            return named(text, "port");
        }
        let line = scan.line();
        match scan.number() {
            Some(number) => Some((port_number(number)?, line)),
            None => named(text, scan.word()?),
        }
    }
}

/// The port that a name stands for: `const port = 3000`.
fn named(text: &str, name: &str) -> Option<(u16, usize)> {
    Scan::behind(text, name, COMMENT).find_map(|mut scan| {
        let before = scan.line_before().strip_suffix(name)?.trim_end();
        let declared = ["const", "let", "var"]
            .iter()
            .any(|word| before.ends_with(word));
        declared.then_some(())?;
        if scan.eat(":") {
            scan.word()?;
        }
        scan.eat("=").then_some(())?;
        let line = scan.line();
        Some((port_number(scan.number()?)?, line))
    })
}
