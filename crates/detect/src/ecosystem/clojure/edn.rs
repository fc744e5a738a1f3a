//! EDN, the notation of Clojure's data: as much of it as build files need, with the line of everything.

/// How deep forms may lie in each other.
const DEEPEST: usize = 64;

/// A value and the line that it stands on.
#[derive(Debug)]
pub struct Node {
    pub form: Form,
    pub line: usize,
}

#[derive(Debug)]
pub enum Form {
    /// A symbol, a keyword, a number.
    Atom(String),
    Text(String),
    /// Whatever is in parentheses, brackets or braces.
    Many(Vec<Node>),
}

impl Node {
    pub fn atom(&self) -> Option<&str> {
        match &self.form {
            Form::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.form {
            Form::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Self] {
        match &self.form {
            Form::Many(items) => items,
            _ => &[],
        }
    }

    /// The value of a key, in a map or behind one in a list.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let items = self.items();
        let at = items.iter().position(|item| item.atom() == Some(key))?;
        items.get(at + 1)
    }

    /// A map's keys and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&Self, &Self)> {
        self.items()
            .chunks_exact(2)
            .map(|pair| (&pair[0], &pair[1]))
    }

    /// Every form below it that is no collection.
    pub fn leaves(&self) -> Vec<&Self> {
        let mut leaves = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            match &node.form {
                Form::Many(items) => open.extend(items.iter().rev()),
                _ => leaves.push(node),
            }
        }
        leaves
    }
}

/// The forms of a text; what is not closed ends with it.
pub fn read(text: &str) -> Vec<Node> {
    let mut open: Vec<(usize, Vec<Node>)> = vec![(1, Vec::new())];
    // How many of the next forms do not count, by depth: metadata and what `#_` leaves out.
    let mut skip: Vec<usize> = vec![0];
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = line;
        let end = match first {
            ';' => rest.find('\n').unwrap_or(rest.len()),
            '"' => text_end(rest),
            '#' if rest.starts_with("#_") => 2,
            '(' | '[' | '{' | ')' | ']' | '}' | '#' | '\'' | '`' | '~' | '@' | '^' => 1,
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            space if space.is_whitespace() || space == ',' => space.len_utf8(),
            _ => rest
                .find(|c: char| c.is_whitespace() || "()[]{}\";,".contains(c))
                .unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(end.min(rest.len()));
        line += token.matches('\n').count();
        rest = behind;
        let form = match first {
            '(' | '[' | '{' => {
                if open.len() > DEEPEST {
                    return Vec::new();
                }
                open.push((start, Vec::new()));
                skip.push(0);
                continue;
            }
            ')' | ']' | '}' => {
                if open.len() == 1 {
                    continue;
                }
                let Some((opened, items)) = open.pop() else {
                    break;
                };
                skip.pop();
                Node {
                    form: Form::Many(items),
                    line: opened,
                }
            }
            '^' => {
                if let Some(skip) = skip.last_mut() {
                    *skip += 1;
                }
                continue;
            }
            '#' if token == "#_" => {
                if let Some(skip) = skip.last_mut() {
                    *skip += 1;
                }
                continue;
            }
            '"' => Node {
                form: Form::Text(unquoted(token).to_owned()),
                line: start,
            },
            ';' | '#' | '\'' | '`' | '~' | '@' => continue,
            space if space.is_whitespace() || space == ',' => continue,
            _ => Node {
                form: Form::Atom(token.to_owned()),
                line: start,
            },
        };
        match (skip.last_mut(), open.last_mut()) {
            (Some(skip), _) if *skip > 0 => *skip -= 1,
            (_, Some((_, items))) => items.push(form),
            _ => {}
        }
    }
    // What was never closed is closed here.
    while open.len() > 1 {
        if let (Some((line, items)), Some((_, outer))) = (open.pop(), open.last_mut()) {
            outer.push(Node {
                form: Form::Many(items),
                line,
            });
        }
    }
    open.pop().map(|(_, items)| items).unwrap_or_default()
}

fn unquoted(token: &str) -> &str {
    let inside = token.strip_prefix('"').unwrap_or(token);
    inside.strip_suffix('"').unwrap_or(inside)
}

/// Where the string ends that the text begins with.
fn text_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn forms_and_their_lines() {
        let forms = read(
            "; é\n(defproject a/b \"1\" ; x\n :main ^:skip-aot a.core #_ (no) :k {:a [1 \"x;\\\"\"]})",
        );
        let project = &forms[0];
        assert_eq!(project.get(":main").unwrap().atom(), Some("a.core"));
        assert_eq!(project.get(":main").unwrap().line, 3);
        let list = project.get(":k").unwrap().get(":a").unwrap();
        assert_eq!(list.items().len(), 2);
        assert_eq!(read("(a [b").len(), 1);
        assert_eq!(read(")]\\").len(), 1);
    }
}
