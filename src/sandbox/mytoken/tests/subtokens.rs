//! Mytokens made from others, and the trees and lists they stand in.

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

impl Rig {
    /// Makes a mytoken from `parent`; `wish` holds further members of the request.
    async fn child(&self, parent: &str, mut wish: Value) -> (u16, Value) {
        wish["grant_type"] = "mytoken".into();
        wish["mytoken"] = parent.into();
        self.post("/api/v0/token/my", wish).await
    }

    async fn tokeninfo(&self, action: &str, mytoken: &str) -> (u16, Value) {
        self.post("/api/v0/tokeninfo", json!({"action": action, "mytoken": mytoken})).await
    }

    /// The names in the list of `mytoken`'s user, as `name(children)`.
    async fn names(&self, mytoken: &str) -> String {
        let (status, answer) = self.tokeninfo("list_mytokens", mytoken).await;
        assert_eq!(status, 200, "{answer}");
        written(&answer["mytokens"])
    }
}

fn written(trees: &Value) -> String {
    let one = |tree: &Value| {
        let name = tree["token"]["name"].as_str().expect("a name").to_owned();
        if tree["children"].is_array() { format!("{name}({})", written(&tree["children"])) } else { name }
    };
    trees.as_array().expect("a list").iter().map(one).collect::<Vec<_>>().join(" ")
}

fn parent(restrictions: Vec<Clause>) -> Order {
    let capabilities = ["AT", "create_mytoken", "tokeninfo", "manage_mytokens"].map(str::to_owned).to_vec();
    Order { capabilities, restrictions, name: Some("root".to_owned()), ..Order::default() }
}

fn text<'answer>(answer: &'answer Value, member: &str) -> &'answer str {
    answer[member].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_child_is_tighter_than_its_parent_and_counts_for_itself() {
    let rig = Rig::start().await;
    let root = rig.issue(parent(counted(3, 9)));
    assert_eq!(rig.access(root.mytoken.expose()).await.0, 200);
    let wish = json!({"restrictions": [{"usages_AT": 3, "usages_other": 1}, {"usages_AT": 1}]});
    let (status, answer) = rig.child(root.mytoken.expose(), wish).await;
    assert_eq!((status, &answer["restrictions"]), (200, &json!([{"usages_AT": 3, "usages_other": 1}])));
    for _ in 0..3 {
        assert_eq!(rig.access(text(&answer, "mytoken")).await.0, 200);
    }
    let clause = &rig.introspect(root.mytoken.expose()).await.1["token"]["restrictions"][0];
    assert_eq!((&clause["usages_AT_done"], &clause["usages_other_done"]), (&json!(1), &json!(1)));
    let (_, history) = rig.history(text(&answer, "mytoken")).await;
    let events: Vec<_> =
        history["events"].as_array().expect("events").iter().map(|event| text(event, "event")).collect();
    let drawn = ["AT_created"; 3];
    assert_eq!(events, [["created", "inherited_RT"].as_slice(), drawn.as_slice()].concat());
}

#[tokio::test]
async fn a_child_past_its_end_is_given_without_a_life_and_is_dead() {
    let rig = Rig::start().await;
    let root = rig.issue(parent(Vec::new()));
    let wish = json!({"restrictions": [{"exp": 1_799_999_999}]});
    let (status, answer) = rig.child(root.mytoken.expose(), wish).await;
    assert_eq!((status, answer.get("expires_in")), (200, None));
    assert_eq!(
        rig.introspect(text(&answer, "mytoken")).await.1["error_description"],
        "token is expired by 1s"
    );
}

#[tokio::test]
async fn making_a_child_rotates_the_parent_inside_the_answer_even_if_it_is_unrestricted() {
    let rig = Rig::start().await;
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let root = rig.issue(Order { rotation, ..parent(Vec::new()) });
    let (status, answer) = rig.child(root.mytoken.expose(), json!({"name": "kid"})).await;
    assert_eq!((status, answer.get("rotation")), (200, None));
    assert_eq!(answer["token_update"]["mom_id"], root.mom_id.as_str());
    assert_eq!(rig.introspect(root.mytoken.expose()).await.0, 401);
    assert_eq!(rig.names(updated(&answer)).await, "root(kid)");
}

#[tokio::test]
async fn a_name_over_89_characters_is_a_500_and_changes_nothing() {
    let rig = Rig::start().await;
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let root = rig.issue(Order { rotation, ..parent(counted(9, 9)) });
    let (status, answer) = rig.child(root.mytoken.expose(), json!({"name": "ü".repeat(90)})).await;
    assert_eq!((status, text(&answer, "error")), (500, "internal_server_error"));
    let (_, looked_up) = rig.introspect(root.mytoken.expose()).await;
    assert_eq!(looked_up["token"]["restrictions"], json!([{"usages_AT": 9, "usages_other": 9}]));
    assert_eq!(rig.child(root.mytoken.expose(), json!({"name": "ü".repeat(89)})).await.0, 200);
}

#[tokio::test]
async fn a_child_comes_as_a_short_token_or_behind_a_code_that_is_revoked_with_it() {
    let rig = Rig::start().await;
    let root = rig.issue(parent(Vec::new()));
    let given = async |wish: Value| rig.child(root.mytoken.expose(), wish).await.1;
    let short = given(json!({"response_type": "short_token", "name": "short"})).await;
    assert_eq!((text(&short, "mytoken_type"), text(&short, "mytoken").len()), ("short_token", 64));
    assert_eq!(rig.access(text(&short, "mytoken")).await.0, 200);
    let wish = json!({"max_token_len": 20, "name": "code", "rotation": {"on_AT": true}});
    let (first, second) = (given(wish.clone()).await, given(wish).await);
    assert_eq!((first.get("mytoken"), &first["rotation"]), (None, &json!({"on_AT": true})));
    let redeem = json!({"grant_type": "transfer_code", "transfer_code": first["transfer_code"]});
    let (_, redeemed) = rig.post("/api/v0/token/my", redeem).await;
    assert_eq!((redeemed.get("rotation"), &redeemed["mom_id"]), (None, &first["mom_id"]));
    let revoke = json!({"token": second["transfer_code"]});
    assert_eq!(rig.post("/api/v0/token/revoke", revoke).await.0, 204);
    assert_eq!(rig.names(root.mytoken.expose()).await, "root(short code)");
}

#[tokio::test]
async fn a_short_token_that_would_rotate_makes_no_child() {
    let rig = Rig::start().await;
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let root = rig.issue(Order { rotation, short: true, ..parent(Vec::new()) });
    assert_eq!(rig.child(root.mytoken.expose(), json!({})).await.0, 500);
    let (_, tree) = rig.tokeninfo("subtokens", root.mytoken.expose()).await;
    assert_eq!(tree["mytokens"].get("children"), None);
}

#[tokio::test]
async fn a_list_keeps_the_expired_for_a_month_and_loses_the_revoked_at_once() {
    let rig = Rig::start().await;
    let root = rig.issue(parent(Vec::new()));
    let named = async |mytoken: &str, name: &str, seconds: Option<i64>| {
        let clauses: Vec<_> = seconds.iter().map(|seconds| json!({"exp": format!("+{seconds}")})).collect();
        let (status, answer) = rig.child(mytoken, json!({"name": name, "restrictions": clauses})).await;
        assert_eq!(status, 200, "{answer}");
        text(&answer, "mytoken").to_owned()
    };
    let kid = named(root.mytoken.expose(), "kid", None).await;
    named(&kid, "grandkid", None).await;
    named(root.mytoken.expose(), "brief", Some(HOUR)).await;
    rig.issue(Order { subject: "somebody else".to_owned(), ..parent(Vec::new()) });
    assert_eq!(rig.names(root.mytoken.expose()).await, "root(kid(grandkid) brief)");
    rig.wait(HOUR + 30 * DAY);
    assert_eq!(rig.post("/api/v0/token/revoke", json!({"token": kid})).await.0, 204);
    assert_eq!(rig.names(root.mytoken.expose()).await, "root(brief) grandkid");
    rig.wait(1);
    assert_eq!(rig.names(root.mytoken.expose()).await, "root grandkid");
}

#[tokio::test]
async fn a_restricted_mytoken_counts_and_rotates_at_trees_and_lists_and_an_unrestricted_one_does_not() {
    let rig = Rig::start().await;
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    for action in ["subtokens", "list_mytokens"] {
        let free = rig.issue(Order { rotation: rotation.clone(), ..parent(Vec::new()) });
        assert_eq!(rig.tokeninfo(action, free.mytoken.expose()).await.1.get("token_update"), None);
        let bound = rig.issue(Order { rotation: rotation.clone(), ..parent(counted(9, 9)) });
        let (_, answer) = rig.tokeninfo(action, bound.mytoken.expose()).await;
        let clause = &rig.introspect(updated(&answer)).await.1["token"]["restrictions"][0];
        assert_eq!(clause["usages_other_done"], 1, "{action}");
        let (_, history) = rig.history(updated(&answer)).await;
        let events = history["events"].as_array().expect("events");
        let wanted = format!("tokeninfo_{action}");
        assert!(events.iter().any(|event| event["event"] == wanted.as_str()), "{history}");
    }
}

#[tokio::test]
async fn a_mytoken_that_cannot_make_children_is_told_so() {
    let rig = Rig::start().await;
    let drawer = rig.issue(Order::default());
    assert_eq!(rig.child(drawer.mytoken.expose(), json!({})).await.1["error"], "insufficient_capabilities");
    let root = rig.issue(parent(Vec::new()));
    let refused = rig.child(root.mytoken.expose(), json!({"capabilities": ["settings"]})).await;
    assert_eq!(
        refused.1["error_description"],
        "mytoken to be issued cannot have any of the requested capabilities"
    );
    assert_eq!(rig.child("abc", json!({})).await.0, 401);
}

#[tokio::test]
async fn a_longest_life_holds_for_children_too() {
    let op = easy_provider(Response::empty(200), Arc::new(Semaphore::new(0))).await;
    let rig = Rig::with(vec![Provider { longest_life: Some(HOUR), ..provider(&op.base()) }]).await;
    let root = rig.issue(Order { issuer: op.base(), ..parent(Vec::new()) });
    for wish in [json!({}), json!({"restrictions": [{"exp": "+1d"}]})] {
        let (_, answer) = rig.child(root.mytoken.expose(), wish).await;
        assert_eq!(answer["restrictions"], json!([{"exp": 1_800_000_000 + HOUR}]), "{answer}");
    }
}
