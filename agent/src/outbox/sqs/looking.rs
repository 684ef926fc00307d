//! Whether SQS can be reached at all, asked now and then where nothing else would show it: an agent that only accepts has
//! nothing to do with the queue until the next message comes.

use std::sync::Arc;
use std::time::Duration;

use super::queue::Queue;
use super::way::Way;

/// Between two looks while all is well. A look is a request to SQS, and costs as one.
const PAUSE: Duration = Duration::from_secs(10);

/// Asks the queue for its attributes, since that changes nothing.
pub(super) struct Looking {
    queue: Arc<Queue>,
    way: Way,
}

impl Looking {
    /// Nothing is asked before [`Looking::run`].
    pub(super) fn new(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, way: Way::new("Asking the SQS queue for its attributes") })
    }

    /// Looks for as long as it is polled.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            match self.queue.nature().await {
                Ok(_) => {
                    self.way.worked();
                    tokio::time::sleep(PAUSE).await;
                }
                Err(trouble) => {
                    self.way.failed(&trouble);
                    self.way.passable().await;
                }
            }
        }
    }

    /// What is wrong, while something is.
    pub(super) fn trouble(&self) -> Option<String> {
        self.way.trouble()
    }
}
