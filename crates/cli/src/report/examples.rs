//! Examples of what the API answers, for the pictures in this folder's tests.

use ergon_server::api::{
    BaseReference, Build, BuildSummary, BuiltImage, Container, ContainerSummary, FoundService,
    Project, PublishedPort, RunResult, StartedContainer,
};
use jiff::Timestamp;

/// The moment every picture is taken at.
pub fn now() -> Timestamp {
    "2026-01-02T14:09:00Z".parse().unwrap()
}

fn digest(start: &str) -> String {
    format!("sha256:{start:0<64}")
}

fn port() -> PublishedPort {
    PublishedPort {
        container: 8000,
        address: "127.0.0.1".into(),
        host: 18000,
    }
}

pub fn run_result() -> RunResult {
    let started = StartedContainer {
        container: "fastapi".into(),
        companion: "fastapi-ci".into(),
        image: "fastapi:4f1c09ab77e2".into(),
        image_digest: digest("8be2"),
        ports: vec![port()],
        state: "healthy".into(),
    };
    RunResult {
        build_hash: digest("4f1c09ab77e2"),
        image_digest: digest("8be2"),
        image: started.image.clone(),
        reproducibility: "unproven".into(),
        cached: false,
        container: started.container.clone(),
        companion: started.companion.clone(),
        ports: vec![port()],
        state: started.state.clone(),
        containers: vec![started],
    }
}

pub fn container() -> ContainerSummary {
    ContainerSummary {
        id: "0123456789abcdef0123".into(),
        name: "fastapi".into(),
        state: "running".into(),
        wellness: "unwell".into(),
        sentence: "I answer, but \u{1b}[2JDATABASE_URL is not set.".into(),
        companion: "fastapi-ci".into(),
        image: Some("fastapi:4f1c09ab77e2".into()),
        image_digest: Some(digest("8be2")),
        build_hash: Some(digest("4f1c09ab77e2")),
        project_id: None,
        ports: vec![port()],
        started_at: Some("2026-01-02T14:03:00Z".into()),
    }
}

pub fn container_in_full() -> Container {
    let service = FoundService {
        name: "uvicorn".into(),
        role: "web server".into(),
        version: None,
        pid: 1,
        ports: vec![8000],
        command: "uvicorn main:app".into(),
    };
    Container {
        summary: container(),
        memory: Some(48_000_000),
        memory_limit: None,
        restarts: 0,
        services: vec![service],
        findings: Vec::new(),
        evidence: Vec::new(),
        log: Vec::new(),
        log_digest: None,
    }
}

fn build_summary() -> BuildSummary {
    BuildSummary {
        build_hash: digest("4f1c09ab77e2"),
        project_id: None,
        project_name: Some("fastapi".into()),
        state: "succeeded".into(),
        reproducibility: "unpinned".into(),
        pinned: false,
        started_at: "2026-01-02T14:03:00Z".into(),
        milliseconds: Some(2_300),
        cached: false,
        images: vec![BuiltImage {
            container: "fastapi".into(),
            image_digest: digest("8be2"),
            tags: vec!["fastapi:4f1c09ab77e2".into(), "fastapi:1a2b3c4".into()],
            size: 41_000_000,
        }],
    }
}

pub fn build() -> Build {
    Build {
        summary: build_summary(),
        manifest_digest: digest("90ab3e"),
        source_digest: digest("c66f21"),
        platform: "linux/amd64".into(),
        epoch: 315_532_800,
        builder: "1".into(),
        bases: vec![BaseReference {
            reference: "python:3.11-slim".into(),
            digest: digest("71ab"),
        }],
        git: Some("main@1a2b3c4".into()),
        commit: None,
        clean: None,
        location: None,
        job_id: None,
        verification: None,
        verify_job_id: None,
        unpinned: vec!["the base python:3.11-slim floats; pin it: ergon lock".into()],
        containers: vec![container()],
        attached: Vec::new(),
        changes: None,
        same_source: Vec::new(),
        dependents: Vec::new(),
        manifest: serde_json::Value::Null,
    }
}

pub fn project() -> Project {
    Project {
        id: "1".into(),
        name: "shop".into(),
        location: "/code/shop".into(),
        folder: "/code/shop".into(),
        framework: Some("FastAPI".into()),
        language: Some("Python 3.11".into()),
        git: Some("main@1a2b3c4".into()),
        problem: None,
        manifest_digest: None,
        docker_config: None,
        last_build: Some(build_summary()),
        active_job: None,
        containers: vec![container()],
        companion: "shop-project-ci".into(),
        added_at: "2026-01-02T14:08:57Z".into(),
    }
}
