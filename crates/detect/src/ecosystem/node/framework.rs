//! Web frameworks for programs that answer requests.

use super::package::Package;

/// A web framework.
pub(super) struct Framework {
    pub package: &'static str,
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    /// Where its programs listen when nothing says otherwise.
    pub port: u16,
}

/// Where most programs listen when nothing says otherwise.
pub(super) const USUAL_PORT: u16 = 3000;

const fn framework(
    package: &'static str,
    kind: &'static str,
    label: &'static str,
    port: u16,
) -> Framework {
    Framework {
        package,
        kind,
        label,
        port,
    }
}

/// It has commands of its own for what others have scripts for.
pub(super) const REDWOOD: &str = "@redwoodjs/core";

/// The more particular first: Nest brings Express.
const FRAMEWORKS: [Framework; 33] = [
    framework("next", "next", "Next.js", USUAL_PORT),
    framework("nuxt", "nuxt", "Nuxt", USUAL_PORT),
    framework(
        "@react-router/dev",
        "react-router",
        "React Router",
        USUAL_PORT,
    ),
    framework("@remix-run/node", "remix", "Remix", USUAL_PORT),
    framework("@remix-run/serve", "remix", "Remix", USUAL_PORT),
    framework("@sveltejs/kit", "sveltekit", "SvelteKit", USUAL_PORT),
    framework(
        "@tanstack/react-start",
        "tanstack-start",
        "TanStack Start",
        USUAL_PORT,
    ),
    framework(
        "@tanstack/solid-start",
        "tanstack-start",
        "TanStack Start",
        USUAL_PORT,
    ),
    framework("@solidjs/start", "solid-start", "SolidStart", USUAL_PORT),
    framework("astro", "astro", "Astro", 4321),
    framework("@builder.io/qwik-city", "qwik", "Qwik City", USUAL_PORT),
    framework("@analogjs/platform", "analog", "Analog", USUAL_PORT),
    framework("@angular/ssr", "angular", "Angular", 4000),
    framework("@nestjs/core", "nest", "Nest", USUAL_PORT),
    framework("@adonisjs/core", "adonis", "AdonisJS", 3333),
    framework(REDWOOD, "redwood", "RedwoodJS", 8910),
    framework("@strapi/strapi", "strapi", "Strapi", 1337),
    framework("@medusajs/medusa", "medusa", "Medusa", 9000),
    framework("@keystone-6/core", "keystone", "Keystone", USUAL_PORT),
    framework("directus", "directus", "Directus", 8055),
    framework("sails", "sails", "Sails", 1337),
    framework("vike", "vike", "Vike", USUAL_PORT),
    framework("waku", "waku", "Waku", 8080),
    framework("nitropack", "nitro", "Nitro", USUAL_PORT),
    framework("nitro", "nitro", "Nitro", USUAL_PORT),
    framework("moleculer-web", "moleculer", "Moleculer", USUAL_PORT),
    framework("@feathersjs/feathers", "feathers", "Feathers", 3030),
    framework("fastify", "fastify", "Fastify", USUAL_PORT),
    framework("hono", "hono", "Hono", USUAL_PORT),
    framework("elysia", "elysia", "Elysia", USUAL_PORT),
    framework("koa", "koa", "Koa", USUAL_PORT),
    framework("@hapi/hapi", "hapi", "hapi", USUAL_PORT),
    framework("express", "express", "Express", USUAL_PORT),
];

/// The framework that a package is written with.
pub(super) fn of(package: &Package) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|framework| {
        package.production(framework.package)
            // Some frameworks build what runs without them.
            || (package.depends_on(framework.package) && (package.script("build").is_some() || framework.package == REDWOOD))
    })
}
