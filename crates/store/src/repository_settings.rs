//! How a repository is kept, as its owner wants it.

use crate::change::Change;
use crate::error::StoreError;

impl Change {
    /// Lets anybody pull from a repository, or nobody without a credential. The repository has to be there.
    pub async fn set_anonymous_pull(&mut self, name: &str, wanted: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE repositories SET anonymous_pull = $1 WHERE name = $2")
            .bind(i64::from(wanted))
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Lets tags of a repository stay what they are, or not. The repository has to be there.
    pub async fn set_immutable_tags(&mut self, name: &str, wanted: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE repositories SET immutable_tags = $1 WHERE name = $2")
            .bind(i64::from(wanted))
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Whether tags of a repository stay what they are, as this change sees it.
    pub async fn has_immutable_tags(&mut self, name: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT immutable_tags FROM repositories WHERE name = $1")
                .bind(name)
                .fetch_optional(&mut *self.transaction)
                .await?;
        Ok(row.is_some_and(|(immutable,)| immutable != 0))
    }

    /// The images that builds gave a tag, `<container>:<tag>`, as this change sees it.
    pub async fn built_as(&mut self, tag: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT DISTINCT digest FROM tags WHERE tag = $1 ORDER BY digest")
                .bind(tag)
                .fetch_all(&mut *self.transaction)
                .await?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }
}
