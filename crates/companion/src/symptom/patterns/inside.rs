//! What is missing or wrong inside: variables, modules, programs, configurations, rights.

use crate::symptom::Trouble;

pub(super) const PATTERNS: &[(Trouble, &str)] = &[
    // The environment.
    (
        Trouble::Variable,
        r#"\bKeyError: ['"](?P<name>[A-Z][A-Z0-9_]{2,})['"]"#,
    ),
    (
        Trouble::Variable,
        r#"(?:key not found|KeyError): :?"?(?P<name>[A-Z][A-Z0-9_]{2,})"?"#,
    ),
    (
        Trouble::Variable,
        r#"(?i)(?:environment|env|variable|setting|config(?:uration)?)(?: variables?| keys?| vars?)?:? *\(?['"`$]*(?-i:(?P<name>[A-Z][A-Z0-9_]{2,}))['"`)]* *(?:is |was |has )?(?:not (?:set|found|defined|present|provided|configured|specified|been set)|missing|required|unset|undefined|empty|must be|is mandatory)"#,
    ),
    (
        Trouble::Variable,
        r#"(?i)(?:missing|required|undefined|unset|must set|please set|need(?:s)? to set|expected|set the|not set|no)(?: the)?(?: required| mandatory)?(?: environment| env)?(?: variables?| vars?| settings?)?:? *['"`$]*(?-i:(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+))\b"#,
    ),
    (
        Trouble::Variable,
        r#"(?-i:\$?(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+))['"`:]* *(?i:(?:environment |env )?(?:variable )?(?:is |was |has |parameter )?(?:not (?:set|found|defined|provided|configured|specified|been set)|missing|required|unset|undefined|null or not set|must be (?:set|provided|defined|specified)|cannot be (?:empty|blank)|is mandatory|field required))"#,
    ),
    (
        Trouble::Variable,
        r"(?:line [0-9]+: |sh: [0-9]+: )(?P<name>[A-Z][A-Z0-9_]{2,}): (?:parameter not set|unbound variable|parameter null or not set)",
    ),
    (
        Trouble::Variable,
        r#"environment variable not found: ?['"`]?(?P<name>[A-Z][A-Z0-9_]{2,})"#,
    ),
    // What is not there.
    (
        Trouble::Module,
        r#"(?:ModuleNotFoundError: No module named|ImportError: No module named) ['"]?(?P<name>[\w.]+)"#,
    ),
    (
        Trouble::Module,
        r#"(?:Error: )?Cannot find (?:module|package) ['"](?P<name>[^'"]+)['"]"#,
    ),
    (
        Trouble::Module,
        r"(?:ClassNotFoundException|NoClassDefFoundError|Could not find or load main class)[: ]+(?P<name>[\w.$/]+)",
    ),
    (
        Trouble::Module,
        r#"(?:cannot load such file -- |Could not find gem '?|ImportError: cannot import name '|Error loading ASGI app\. (?:Could not import module|Attribute) ")(?P<name>[\w./-]+)"#,
    ),
    (
        Trouble::Module,
        r#"(?:Class|Interface) "(?P<name>[\w\\]+)" not found|Can't locate (?P<path>[\w/]+\.pm) in @INC|Failed opening required '(?P<host>[^']+)'"#,
    ),
    (
        Trouble::Library,
        r"error while loading shared libraries: (?P<name>[^\s:]+)|(?:ImportError|OSError): (?P<path>lib[\w.+-]+): cannot open shared object",
    ),
    (
        Trouble::Format,
        r"(?i)exec format error|cannot execute binary file",
    ),
    (
        Trouble::Program,
        r#"(?:exec:? *|starting container process caused: exec: )['"](?P<path>[^'"]+)['"]: (?:executable file not found|stat \S+: no such file)"#,
    ),
    (
        Trouble::Program,
        r"(?m)(?:^|sh: [0-9]+: |bash: (?:line [0-9]+: )?|line [0-9]+: |sh: )(?:exec: )?(?P<path>[\w./@-]+): (?:command )?not found\b",
    ),
    // The configuration, with file and line.
    (
        Trouble::Configuration,
        r#"\[emerg\].{0,400}? in (?P<path>[^\s:"]+):(?P<line>[0-9]+)"#,
    ),
    (
        Trouble::Configuration,
        r"(?:AH00526: )?Syntax error on line (?P<line>[0-9]+) of (?P<path>[^\s:]+)",
    ),
    (
        Trouble::Configuration,
        r"\[ALERT\].{0,60}(?:parsing \[(?P<path>[^\]:]+):(?P<line>[0-9]+)\]|config)",
    ),
    (
        Trouble::Configuration,
        r"(?:FATAL CONFIG FILE ERROR|Bad directive or wrong number of arguments|>>> '(?P<name>[^']+)')",
    ),
    (
        Trouble::Configuration,
        r#"(?:unrecognized|invalid) (?:configuration )?(?:parameter|value)(?: for parameter)? "(?P<name>[^"]+)"(?: in file "(?P<path>[^"]+)" line (?P<line>[0-9]+))?"#,
    ),
    (
        Trouble::Configuration,
        r#"syntax error in file "(?P<path>[^"]+)" line (?P<line>[0-9]+)|configuration file "(?P<name>[^"]+)" contains errors"#,
    ),
    (
        Trouble::Configuration,
        r"\[ERROR\].{0,60}unknown (?:variable|option) '(?P<name>[^']+)'",
    ),
    (
        Trouble::Configuration,
        r#"(?i)(?:error|invalid|cannot|could not|failed|unable|bad)\b.{0,60}?\b(?:read|load|pars|config|settings)\w*.{0,80}?(?P<path>[\w./-]+\.(?:ya?ml|toml|json|ini|conf|cfg|properties|xml|env))(?:["':, ]+(?:line )?(?P<line>[0-9]+))?"#,
    ),
    (
        Trouble::Configuration,
        r#"(?P<path>[\w./-]+\.(?:ya?ml|toml|json|ini|conf|cfg|properties|xml))['"]?(?:, line |:)(?P<line>[0-9]+).{0,80}(?i:error|invalid|unexpected|unknown|expected)"#,
    ),
    (
        Trouble::Configuration,
        r"(?i)(?:yaml\.(?:scanner|parser)\.\w+error|tomllib\.TOMLDecodeError|toml\.decoder\.\w+|configparser\.\w*error|ConfigurationError|InvalidConfiguration|improperlyconfigured|invalid configuration|error in configuration|configuration (?:file )?(?:is )?(?:error|invalid)|config(?:uration)? (?:error|parse error|syntax error))",
    ),
    // Rights, after those that name more.
    (
        Trouble::Permission,
        concat!(
            r#"(?i)(?:permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|access is denied)(?:\)|,)?:? *(?:@ \w+ - |open |mkdir |unlink |rename |scandir )?"#,
            r#"(?P<path>'[^']+'|"[^"]+"|/[^\s'"`:;,)]+)"#
        ),
    ),
    (
        Trouble::Permission,
        r#"(?i)(?P<path>/[^\s'"`:;,()]+|'[^']+'|"/[^"]+")['"]?\)?:? .{0,40}?(?:\(13: )?permission denied"#,
    ),
    (
        Trouble::Permission,
        r"(?i)permission denied|\bEACCES\b|AccessDeniedException|operation not permitted|\(os error 13\)",
    ),
    (
        Trouble::File,
        r#"(?i)(?:no such file or directory|\bENOENT\b|FileNotFoundException)(?:\)|,)?:? *(?:@ \w+ - |open |stat |scandir )?(?P<path>'[^']+'|"[^"]+"|/[^\s'"`:;,)]+)"#,
    ),
    (
        Trouble::File,
        r#"(?i)(?P<path>/[^\s'"`:;,()]+|'[^']+'|"/[^"]+")['"]?\)?:? .{0,40}?(?:\(2: )?no such file or directory"#,
    ),
];
