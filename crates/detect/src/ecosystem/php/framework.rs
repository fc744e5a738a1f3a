//! Which framework a PHP program is written with.

use super::composer::Composer;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::sources::Sources;

/// A framework by what shows it.
pub(super) struct Framework {
    /// The package that is required; empty where none is.
    package: &'static str,
    /// A file that only it has; empty where there is none.
    file: &'static str,
    /// As `type` in the manifest.
    pub kind: &'static str,
    label: &'static str,
}

/// The more particular first.
const FRAMEWORKS: [Framework; 16] = [
    framework("laravel/framework", "artisan", "laravel", "Laravel"),
    framework("laravel/lumen-framework", "", "lumen", "Lumen"),
    framework("drupal/core-recommended", "", "drupal", "Drupal"),
    framework("drupal/core", "core/lib/Drupal.php", "drupal", "Drupal"),
    framework("craftcms/cms", "", "craft", "Craft"),
    framework(
        "symfony/framework-bundle",
        "symfony.lock",
        "symfony",
        "Symfony",
    ),
    framework("symfony/symfony", "", "symfony", "Symfony"),
    framework("cakephp/cakephp", "", "cakephp", "CakePHP"),
    framework(
        "codeigniter4/framework",
        "spark",
        "codeigniter",
        "CodeIgniter",
    ),
    framework("yiisoft/yii2", "", "yii", "Yii"),
    framework("laminas/laminas-mvc", "", "laminas", "Laminas"),
    framework("slim/slim", "", "slim", "Slim"),
    framework("roots/wordpress", "", "wordpress", "WordPress"),
    framework("johnpbloch/wordpress", "", "wordpress", "WordPress"),
    framework("", "wp-includes/version.php", "wordpress", "WordPress"),
    framework("", "wp-config.php", "wordpress", "WordPress"),
];

const fn framework(
    package: &'static str,
    file: &'static str,
    kind: &'static str,
    label: &'static str,
) -> Framework {
    Framework {
        package,
        file,
        kind,
        label,
    }
}

pub(super) fn of(
    sources: &Sources<'_>,
    composer: Option<&Composer>,
    report: &mut Report,
) -> Option<&'static Framework> {
    let listed = composer.and_then(|composer| {
        let framework = FRAMEWORKS
            .iter()
            .find(|framework| composer.requires(framework.package))?;
        Some((composer, framework))
    });
    if let Some((composer, framework)) = listed {
        let version = composer
            .version(framework.package)
            .map(|version| format!(" {version}"));
        report.certain(
            Topic::Framework,
            format!("{}{}", framework.label, version.unwrap_or_default()),
            composer.place_of(framework.package),
        );
        return Some(framework);
    }
    let framework = FRAMEWORKS
        .iter()
        .find(|framework| !framework.file.is_empty() && sources.has(framework.file))?;
    report.likely(Topic::Framework, framework.label, framework.file);
    Some(framework)
}
