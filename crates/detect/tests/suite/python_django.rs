//! Django: its settings, what serves it, what is done before it starts.

use ergon_detect::memory::MemoryTree;

use crate::{detected, report, run_command};

#[test]
fn django_is_known_by_its_manager() {
    let files = [
        ("requirements.txt", "Django==5.0\ngunicorn==22.0\n"),
        ("manage.py", "import sys\n"),
        ("shop/wsgi.py", "application = 1\n"),
    ];
    assert_eq!(
        run_command(&files),
        "python manage.py migrate && gunicorn --bind 0.0.0.0:${PORT:-8000} shop.wsgi:application"
    );
    assert_eq!(detected(&files).kind, "django");
}

/// A Django project in a folder.
fn django(folder: &str, requirements: &str) -> Vec<(String, String)> {
    let manage = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n";
    let settings = concat!(
        "ROOT_URLCONF = 'shop.urls'\nWSGI_APPLICATION = 'shop.wsgi.application'\n",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n",
    );
    let urls = "urlpatterns = [path('', home), path('api/', include('api.urls'))]\n";
    [
        ("manage.py", manage),
        ("shop/settings.py", settings),
        ("shop/wsgi.py", "application = 1\n"),
        ("shop/asgi.py", "application = 1\n"),
        ("shop/urls.py", urls),
        ("api/urls.py", "urlpatterns = [path('health/', health)]\n"),
    ]
    .iter()
    .map(|(path, text)| (format!("{folder}{path}"), (*text).to_owned()))
    .chain([("requirements.txt".to_owned(), requirements.to_owned())])
    .collect()
}

fn files(files: &[(String, String)]) -> Vec<(&str, &str)> {
    let files = files.iter();
    files
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}

#[test]
fn djangos_settings_say_what_serves_it() {
    let command = |folder: &str, requirements: &str| {
        run_command(&files(&django(
            folder,
            &format!("Django==5.0\n{requirements}"),
        )))
    };
    assert_eq!(
        command("", "uvicorn==1"),
        "python manage.py migrate && uvicorn shop.asgi:application --host 0.0.0.0 --port ${PORT:-8000}"
    );
    assert_eq!(
        command("", "daphne==1"),
        "python manage.py migrate && daphne -b 0.0.0.0 -p ${PORT:-8000} shop.asgi:application"
    );
    assert_eq!(
        command("web/", "gunicorn==1"),
        "python web/manage.py migrate && gunicorn --chdir web --bind 0.0.0.0:${PORT:-8000} shop.wsgi:application"
    );
    let application = detected(&files(&django("", "Django==5.0\n")));
    assert_eq!(application.services, ["postgresql"]);
    assert_eq!(application.health.unwrap().path, "/api/health/");
    // Django's own server is for development, so one is installed.
    assert_eq!(
        application.build_commands,
        ["pip install --no-cache-dir -r requirements.txt gunicorn"]
    );
    assert_eq!(
        application.run_command.as_deref(),
        Some(
            "python manage.py migrate && gunicorn --bind 0.0.0.0:${PORT:-8000} shop.wsgi:application"
        )
    );
}

#[test]
fn static_files_are_gathered_where_that_needs_nothing_but_secrets() {
    let commands = |more: &str| {
        let mut project = django("", "Django==5.0\ngunicorn==1\nwhitenoise==6\n");
        project[1].1.push_str("STATIC_ROOT = 'static'\n");
        project[1].1.push_str(more);
        detected(&files(&project)).build_commands
    };
    assert_eq!(
        commands("")[1..],
        ["python manage.py collectstatic --noinput"]
    );
    assert_eq!(
        commands("KEY = os.environ['KEY']\n")[1..],
        ["KEY=none python manage.py collectstatic --noinput"]
    );
    assert_eq!(commands("MOST = int(os.environ['MOST'])\n").len(), 1);
}

#[test]
fn django_is_asked_by_a_name_that_it_answers_to() {
    let asked = |hosts: &str| {
        let mut project = django("", "Django==5.0\ngunicorn==1\n");
        project[1].1.push_str(hosts);
        detected(&files(&project)).health.is_some()
    };
    for hosts in [
        "ALLOWED_HOSTS = []\n",
        "ALLOWED_HOSTS = ['localhost', 'shop.example']\n",
        "ALLOWED_HOSTS = ['*']\n",
        "ALLOWED_HOSTS = [os.environ.get('NAME')]\n",
    ] {
        assert!(asked(hosts), "{hosts}");
    }
    assert!(!asked("ALLOWED_HOSTS = ['shop.example']\n"));
}

#[test]
fn all_that_django_is_started_with_is_said() {
    let project = django("", "Django==5.0\ngunicorn==1\n");
    let tree = MemoryTree::new(files(&project).iter().copied());
    let report = report(&tree);
    let said = "run_command: python manage.py migrate && gunicorn shop.wsgi:application";
    assert!(report.contains(said), "{report}");
}
