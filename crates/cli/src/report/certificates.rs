//! Certificates, as people read them.

use ergon_server::api::GivenCertificate;

use crate::style;
use crate::table::Table;

pub fn list(certificates: &[GivenCertificate], width: Option<usize>) -> String {
    let mut table = Table::new(["SERIAL", "STATE", "UNTIL", "ASKED FOR BY", "IDENTITY"]);
    for certificate in certificates {
        let state = match certificate.state.as_str() {
            "revoked" => style::bad("revoked"),
            state => state.to_owned(),
        };
        table.row([
            certificate.serial.clone(),
            state,
            certificate.expires_at.clone(),
            certificate.issued_to.clone(),
            certificate.identity.clone(),
        ]);
    }
    if table.is_empty() {
        return "No certificates yet.\n".to_owned();
    }
    table.render(width)
}
